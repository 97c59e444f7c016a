import FlowRuns
import Text
import YAML

/// A decoder that turns the documents of one file into targets and flows, and collects diagnostics. Decoding continues
/// after an error, so that the rules across documents see everything that could be read.
struct ManifestDecoder {
    /// The maximum number of diagnostics per file. Further ones are only counted.
    static let maxDiagnostics = 1000

    let file: String
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var unshown = 0
    private(set) var targets: [Target] = []
    private(set) var manifests: [RunManifest] = []
    /// Whether the file may contain targets that could not be read.
    private(set) var hasUnreadTargets = false
    /// Whether the current node was already read for another target.
    var isRepeatedReading = false
    /// Time zones with a warning that the machine's file is not used.
    var zonesWithFaults: Set<String> = []
    /// The value there is not what was written, so nothing more is said of it.
    private var marksWithErrors: Set<Mark> = []

    init(file: String) { self.file = file }

    mutating func read(_ bytes: [UInt8], _ reader: YAMLReader) {
        let stream = reader.read(bytes)
        for error in stream.errors { add(Diagnostic(error, in: file)) }
        marksWithErrors = Set(stream.errors.map(\.start))
        hasUnreadTargets = !stream.errors.isEmpty
        for document in stream.documents {
            if let root = document.root, !root.isNull { decode(root) }
        }
        if unshown > 0 {
            diagnostics.append(
                Diagnostic(.tooManyErrors, at: nil, "\(file) has \(unshown) more errors, which are not shown"))
        }
    }

    private mutating func decode(_ root: YAMLNode) {
        guard !root.isForeign else {
            return add(
                .notAManifest, at: root, "not a Sluice manifest: there is no 'apiVersion: sluice/v1'",
                suggestion: "to skip the file, name it in a file .sluiceignore in its folder or one above")
        }
        let fields = fields(of: root, "a manifest", required: ["apiVersion", "kind", "metadata", "spec"])
        guard let fields else { return hasUnreadTargets = true }
        checkVersion(fields["apiVersion"])
        let kind = choice(fields["kind"], of: Kind.self)
        let header = header(fields["metadata"])
        switch kind {
        case .target:
            let target = fields["spec"].flatMap { self.target($0.value, header) }
            if let target { targets.append(target) } else { hasUnreadTargets = true }
        case .runManifest:
            let manifest = fields["spec"].map { runManifests($0.value, header) }
            manifests += manifest ?? []
        case nil:
            hasUnreadTargets = true
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

    /// The `metadata` of a document.
    struct Header {
        let name: String
        let owner: String?
        /// The position of the name.
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

    /// Adds a diagnostic. Nodes that several targets share are decoded for each of them, but reported once.
    mutating func add(_ diagnostic: Diagnostic) {
        guard !isRepeatedReading || !diagnostics.contains(diagnostic) else { return }
        if diagnostics.count < Self.maxDiagnostics { diagnostics.append(diagnostic) } else { unshown += 1 }
    }

    mutating func add(
        _ code: DiagnosticCode, _ severity: Diagnostic.Severity = .error, at node: YAMLNode?, _ message: String,
        suggestion: String? = nil, notes: [Diagnostic.Note] = []
    ) {
        if let node, marksWithErrors.contains(node.start) { return }
        let place = node.map { self.place(of: $0) }
        guard severity == .error, let node, node.hasPlaceholder || node.isUnquotedPlaceholder else {
            let character = severity == .error ? node.flatMap { invisibleCharacter(in: $0) } : nil
            let notes = notes + [character].compactMap(\.self)
            return add(Diagnostic(code, severity, at: place, message, suggestion: suggestion, notes: notes))
        }
        // A placeholder is the cause of any other error in the value.
        let subject = node.kind == .scalar ? "\(quoted(node.text)) has" : "this is"
        add(
            Diagnostic(
                .placeholder, at: place, "\(subject) a placeholder that was not filled in",
                suggestion: Diagnostic.placeholderAdvice))
    }

    /// A note on the first character of a faulty text that looks like a space or like nothing.
    private func invisibleCharacter(in node: YAMLNode) -> Diagnostic.Note? {
        guard node.kind == .scalar else { return nil }
        let scalars = node.text.unicodeScalars
        let invisible = zip(0..., scalars).first { $1.isUnusualSpace || ($1.isInvisibleControl && !$1.isASCII) }
        guard let (index, character) = invisible else { return nil }
        let isWhole = node.isPlain && node.start.line == node.end.line
        return Diagnostic.Note(
            place: Place(file: file, line: node.start.line, column: node.start.column + (isWhole ? index : 0)),
            message: "the text contains an unusual character: \(character.nameAndCode)")
    }

    /// Returns the position of a node: the start of a collection, or the whole text of a scalar.
    func place(of node: YAMLNode) -> Place {
        let (start, end) = (node.start, node.end)
        let isWhole = node.kind == .scalar && start.line == end.line
        return Place(
            file: file, line: start.line, column: start.column, length: isWhole ? end.column - start.column : 1)
    }
}

extension YAMLNode {
    /// Whether the document is of another program: its version and kind are not Sluice's, or it has none of the keys.
    fileprivate var isForeign: Bool {
        guard kind == .mapping else { return false }
        var values: [String: String] = [:]
        for (key, value) in pairs where key.kind == .scalar {
            values[key.text] = value.kind == .scalar ? value.text : ""
        }
        let isOurKind = ["Target", "RunManifest"].contains(values["kind"])
        if let version = values["apiVersion"] { return !version.hasPrefix("sluice") && !isOurKind && values.count > 1 }
        return !values.isEmpty && ["kind", "metadata", "spec"].allSatisfy { values[$0] == nil }
    }
}

extension Diagnostic {
    fileprivate init(_ error: YAMLError, in file: String) {
        let length = error.end.map { $0.line == error.start.line ? $0.column - error.start.column : 1 } ?? 1
        let place = Place(file: file, line: error.start.line, column: error.start.column, length: length)
        let notes = error.note.map { note in
            Note(place: Place(file: file, line: note.mark.line, column: note.mark.column), message: note.message)
        }
        self.init(
            DiagnosticCode(error.kind), at: place, error.message, suggestion: error.suggestion,
            notes: [notes].compactMap(\.self))
    }
}

extension DiagnosticCode {
    fileprivate init(_ kind: YAMLError.Kind) {
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
            case .tooManyErrors: .tooManyErrors
            }
    }
}
