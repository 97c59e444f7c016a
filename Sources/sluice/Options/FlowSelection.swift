import ArgumentParser
import FlowRuns
import Foundation
import Manifests
import Reports
import Text

/// A choice of the flows that a command works on; by default, all.
struct FlowSelection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only this flow: its name, its id, or a pattern such as 'crm-*' (repeatable).", valueName: "flow"),
        completion: ManifestCompletion.flows)
    var flow: [String] = []
    @Option(
        help: ArgumentHelp("Exclude this flow: a name, an id or a pattern (repeatable).", valueName: "flow"),
        completion: ManifestCompletion.flows)
    var exclude: [String] = []

    /// The options in shell syntax.
    var arguments: [String] {
        (flow.flatMap { ["--flow", $0] } + exclude.flatMap { ["--exclude", $0] }).map(shellWord)
    }

    var isEmpty: Bool { flow.isEmpty && exclude.isEmpty }

    /// Returns the selected flows, in the order of `flows`.
    ///
    /// - Throws: ``Failure`` with status 64 if a pattern matches no flow: a typo must not look like 'nothing to do'.
    func choose<Flow>(
        from flows: [Flow], _ label: (Flow) -> (id: FlowID, name: String?)
    ) throws(Failure) -> [Flow] {
        let labels = flows.map(label)
        for (option, patterns) in [("--flow", flow), ("--exclude", exclude)] {
            for pattern in patterns where !labels.contains(where: { matches(pattern, $0) }) {
                let known = nearest(to: pattern, among: labels.compactMap(\.name))
                let hint = known.map { ": did you mean '\($0)'?" } ?? "; declared: \(names(of: labels))"
                throw Failure(.usage, "\(option) '\(pattern)' is neither the name nor the id of a flow\(hint)")
            }
        }
        return zip(flows, labels).compactMap { item, label in
            let isChosen = flow.isEmpty || flow.contains { matches($0, label) }
            return isChosen && !exclude.contains { matches($0, label) } ? item : nil
        }
    }

    private static let maxNames = 10

    private func names(of flows: [(id: FlowID, name: String?)]) -> String {
        let names = flows.prefix(Self.maxNames).map { $0.name ?? $0.id.description }
        let rest = flows.count - names.count
        return (names.isEmpty ? ["none"] : names + (rest > 0 ? ["\(grouped(rest)) more"] : [])).listed
    }

    private func matches(_ pattern: String, _ flow: (id: FlowID, name: String?)) -> Bool {
        if let id = FlowID(pattern) { return id == flow.id }
        if let name = flow.name, name == pattern || fnmatch(pattern, name, 0) == 0 { return true }
        return fnmatch(pattern.lowercased(), flow.id.description, 0) == 0
    }
}

/// Shell completions from the manifests on the command line or, without any, from those below the working folder.
enum ManifestCompletion {
    /// The names of the targets.
    static let targets = CompletionKind.custom { words, _, prefix in
        manifests(of: words).targets.map(\.name).filter { $0.hasPrefix(prefix) }
    }

    /// The IDs of the flows, and the names that contain no spaces.
    static let flows = CompletionKind.custom { words, _, prefix in
        let flows = manifests(of: words).flows
        let names = flows.compactMap(\.name).filter { !$0.contains(where: \.isWhitespace) }
        return (flows.map(\.id.description) + names).filter { $0.hasPrefix(prefix) }
    }

    /// Loads the manifests without diagnostics: errors in them must not disturb completion.
    private static func manifests(of words: [String]) -> ManifestSet {
        let named = words.dropFirst(2).filter { word in
            !word.hasPrefix("-") && (try? ManifestFiles.read([word])) != nil
        }
        return ManifestLoader().load((try? ManifestFiles.read(Array(named)))?.sources ?? []).manifests
    }
}
