import FlowRuns
import YAML

/// Turns the documents of one file into targets and flows, and gathers what is wrong on the way. It never stops at a
/// fault: what can still be made out is decoded, so that the rules between documents see it.
struct ManifestDecoder {
    /// More faults of one file help nobody; the rest is counted.
    static let mostDiagnostics = 1000

    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var unshown = 0
    private(set) var targets: [Target] = []
    private(set) var manifests: [RunManifest] = []
    /// Whether there may be targets in the file that could not be read.
    private(set) var mayHideTargets = false
    /// What stands there is not what was written, so nothing more is said of it.
    private var faultyMarks: Set<Mark> = []

    init(file: String) { self.file = file }

    mutating func read(_ bytes: [UInt8], _ reader: YAMLReader) {
        let stream = reader.read(bytes)
        for fault in stream.faults { add(Diagnostic(fault, in: file)) }
        faultyMarks = Set(stream.faults.map(\.start))
        mayHideTargets = !stream.faults.isEmpty
        for document in stream.documents {
            if let root = document.root, !root.isNull { decode(root) }
        }
        if unshown > 0 {
            diagnostics.append(
                Diagnostic(.tooManyFaults, at: nil, "\(file) has \(unshown) more faults, which are not shown"))
        }
    }

    private mutating func decode(_ root: YAMLNode) {
        let fields = fields(of: root, "a manifest", required: ["apiVersion", "kind", "metadata", "spec"])
        guard let fields else { return mayHideTargets = true }
        checkVersion(fields["apiVersion"])
        let kind = choice(fields["kind"], of: Kind.self)
        let header = header(fields["metadata"])
        switch kind {
        case .target:
            let target = fields["spec"].flatMap { self.target($0.value, header) }
            if let target { targets.append(target) } else { mayHideTargets = true }
        case .runManifest:
            let manifest = fields["spec"].flatMap { runManifest($0.value, header) }
            if let manifest { manifests.append(manifest) }
        case nil:
            mayHideTargets = true
        }
    }

    private enum Kind: String, CaseIterable {
        case target = "Target"
        case runManifest = "RunManifest"
    }

    private mutating func checkVersion(_ field: Field?) {
        guard let version = text(field), version != "sluice/v1" else { return }
        add(.unknownWord, at: field?.value, "unknown apiVersion \(quoted(version))", suggestion: "write sluice/v1")
    }

    /// `metadata`.
    struct Header {
        let name: String
        let owner: String?
        /// Where the name stands.
        let place: Place
    }

    private mutating func header(_ field: Field?) -> Header? {
        guard let field, let fields = fields(of: field.value, "metadata", required: ["name"], optional: ["owner"])
        else { return nil }
        let owner = text(fields["owner"])
        guard let nameField = fields["name"], let name = name(nameField) else { return nil }
        return Header(name: name, owner: owner, place: place(of: nameField.value))
    }

    // MARK: Gathering

    mutating func add(_ diagnostic: Diagnostic) {
        if diagnostics.count < Self.mostDiagnostics { diagnostics.append(diagnostic) } else { unshown += 1 }
    }

    mutating func add(
        _ code: DiagnosticCode, _ severity: Diagnostic.Severity = .error, at node: YAMLNode?, _ message: String,
        suggestion: String? = nil, notes: [Diagnostic.Note] = []
    ) {
        if let node, faultyMarks.contains(node.start) { return }
        let place = node.map { self.place(of: $0) }
        add(Diagnostic(code, severity, at: place, message, suggestion: suggestion, notes: notes))
    }

    /// A collection's place is where it begins; a scalar's covers it.
    func place(of node: YAMLNode) -> Place {
        let (start, end) = (node.start, node.end)
        let isWhole = node.kind == .scalar && start.line == end.line
        return Place(
            file: file, line: start.line, column: start.column, length: isWhole ? end.column - start.column : 1)
    }
}

extension Diagnostic {
    fileprivate init(_ fault: YAMLFault, in file: String) {
        let length = fault.end.map { $0.line == fault.start.line ? $0.column - fault.start.column : 1 } ?? 1
        let place = Place(file: file, line: fault.start.line, column: fault.start.column, length: length)
        let notes = fault.note.map { note in
            Note(place: Place(file: file, line: note.mark.line, column: note.mark.column), message: note.message)
        }
        self.init(
            DiagnosticCode(fault.kind), at: place, fault.message, suggestion: fault.suggestion,
            notes: [notes].compactMap(\.self))
    }
}

extension DiagnosticCode {
    fileprivate init(_ kind: YAMLFault.Kind) {
        self =
            switch kind {
            case .syntax: .syntax
            case .encoding: .encoding
            case .unknownDirective, .unknownVersion: .directive
            case .duplicateKey: .duplicateKey
            case .nonScalarKey: .nonScalarKey
            case .undefinedAlias, .recursiveAlias: .alias
            case .mergeValue: .mergeKey
            case .depth: .tooDeep
            case .aliasNodes: .tooManyAliases
            case .size, .memory: .tooLarge
            case .tooManyFaults: .tooManyFaults
            }
    }
}
