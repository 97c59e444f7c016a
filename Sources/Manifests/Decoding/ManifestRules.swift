/// The rules across documents, in any file. Declarations are checked in order of position, so the result does not
/// depend on the order of the files.
struct ManifestRules {
    private(set) var diagnostics: [Diagnostic] = []

    /// - Parameter hasUnreadTargets: whether some targets could not be read. If so, no target is reported as undeclared.
    init(targets: [Target], manifests: [RunManifest], hasUnreadTargets: Bool) {
        let targets = targets.sorted { $0.place < $1.place }
        let manifests = manifests.sorted { $0.place < $1.place }
        checkNames(of: targets)
        if !hasUnreadTargets { checkTargets(of: manifests, among: targets.map(\.name)) }
        checkNames(of: manifests)
        let flows = manifests.flatMap(\.flows).sorted { $0.place < $1.place }
        checkFlows(flows)
        checkSandboxes(of: flows, targets)
    }

    private mutating func checkNames(of targets: [Target]) {
        var first: [String: Place] = [:]
        for target in targets {
            guard let place = first.updateIfNew(target.place, for: target.name) else { continue }
            diagnostics.append(
                Diagnostic(
                    .targetDeclaredTwice, at: target.place, "the target '\(target.name)' is declared twice",
                    suggestion: "give one of them another name",
                    notes: [.init(place: place, message: "first declared here")]))
        }
    }

    private mutating func checkTargets(of manifests: [RunManifest], among targets: [String]) {
        for manifest in manifests where !targets.contains(manifest.target) {
            let suggestion =
                nearest(to: manifest.target, among: targets).map { "did you mean '\($0)'?" }
                ?? (targets.isEmpty
                    ? "declare it in a document with 'kind: Target', and pass its file, too"
                    : "declared: \(targets.sorted().joined(separator: ", "))")
            diagnostics.append(
                Diagnostic(
                    .targetUnknown, at: manifest.targetPlace, "the target '\(manifest.target)' is not declared",
                    suggestion: suggestion))
        }
    }

    private mutating func checkNames(of manifests: [RunManifest]) {
        var first: [Pair: Place] = [:]
        for manifest in manifests {
            let key = Pair(target: manifest.target, name: manifest.name)
            guard let place = first.updateIfNew(manifest.place, for: key) else { continue }
            diagnostics.append(
                Diagnostic(
                    .manifestDeclaredTwice, at: manifest.place,
                    "the target '\(manifest.target)' has two run manifests named '\(manifest.name)'",
                    suggestion: "give one of them another name",
                    notes: [.init(place: place, message: "first declared here")]))
        }
    }

    private mutating func checkFlows(_ flows: [FlowDeclaration]) {
        var first: [Pair: Place] = [:]
        for flow in flows {
            let key = Pair(target: flow.target, name: flow.id.description)
            guard let place = first.updateIfNew(flow.place, for: key) else { continue }
            diagnostics.append(
                Diagnostic(
                    .flowDeclaredTwice, at: flow.place,
                    "the flow \(flow.id) is declared twice in the target '\(flow.target)'",
                    suggestion: "declare all windows of a flow in one place",
                    notes: [.init(place: place, message: "first declared here")]))
        }
    }

    /// Checks that no flow is declared in two targets of one sandbox: their ledgers do not share records.
    private mutating func checkSandboxes(of flows: [FlowDeclaration], _ targets: [Target]) {
        let sandboxes = Dictionary(targets.map { ($0.name, $0.sandboxKey) }) { first, _ in first }
        var first: [Pair: FlowDeclaration] = [:]
        for flow in flows {
            guard let sandbox = sandboxes[flow.target],
                let other = first.updateIfNew(flow, for: Pair(target: sandbox, name: flow.id.description)),
                other.target != flow.target
            else { continue }
            diagnostics.append(
                Diagnostic(
                    .flowInTwoTargets, at: flow.place,
                    "the flow \(flow.id) is declared in the targets '\(other.target)' and '\(flow.target)', which are "
                        + "the same sandbox",
                    suggestion: "one sandbox has one ledger: declare the flow in one target only",
                    notes: [.init(place: other.place, message: "first declared here")]))
        }
    }

    private struct Pair: Hashable {
        let target: String
        let name: String
    }
}

extension Target {
    /// A key that is equal for two targets of one sandbox. The embedded simulator keeps its state next to the ledger,
    /// so each ledger has its own simulator.
    fileprivate var sandboxKey: String { service == .embedded ? "\(identity) \(ledger)" : identity }
}

extension Dictionary {
    /// Stores the value if the key is new.
    ///
    /// - Returns: the existing value, or `nil` if the key was new.
    fileprivate mutating func updateIfNew(_ value: Value, for key: Key) -> Value? {
        if let first = self[key] { return first }
        self[key] = value
        return nil
    }
}
