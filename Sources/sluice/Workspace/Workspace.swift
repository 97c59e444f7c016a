import FlowRuns
import Foundation
import Manifests
import Planner
import Reports

/// The valid manifests of a command line, and the target that the command works on.
struct Workspace {
    /// The flows of the target, and the selected ones.
    let flows: TargetFlows
    let sources: [SourceFile]
    /// Arguments to repeat in suggested commands.
    let arguments: CommandArguments

    var target: Target { flows.target }

    /// Loads the manifests, and selects a target and its flows.
    ///
    /// - Parameters:
    ///   - selection: The flows to select; `nil` for all.
    ///   - showsWarnings: Whether to print warnings, as for commands about the manifests rather than the ledger.
    ///   - annotates: Whether to print diagnostics as annotations for GitHub instead of text on standard error.
    ///   - files: The files, if they have been read already.
    ///   - asOf: The instant of the plan, for commands that plan. Prints a warning if the sources of time-zone rules
    ///     disagree about a window that is due by then.
    ///   - whenBroken: Receives the diagnostics of invalid manifests.
    /// - Throws: ``Failure`` with status 65 after the diagnostics are printed.
    static func load(
        _ options: ManifestOptions, _ output: OutputOptions, _ selection: FlowSelection? = nil,
        showsWarnings: Bool = false, annotates: Bool = false, files: ManifestFiles? = nil,
        dueAt asOf: Timestamp? = nil, whenBroken: (DiagnosticsReport) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> Workspace {
        let files = if let files { files } else { try ManifestFiles.read(options.paths) }
        var (manifests, diagnostics) = try files.load()
        if let asOf, !diagnostics.hasErrors {
            diagnostics = (diagnostics + manifests.zoneWarnings(dueAt: asOf)).sortedByPlace()
        }
        let sources = files.sources
        if annotates {
            DiagnosticsReport(diagnostics, sources: sources).write(.github) { Console.output($0) }
        } else if showsWarnings || diagnostics.hasErrors {
            output.printDiagnostics(diagnostics, sources: sources)
        }
        guard !diagnostics.hasErrors else {
            var report = DiagnosticsReport(diagnostics, sources: sources)
            report.target = options.target ?? (manifests.targets.count == 1 ? manifests.targets[0].name : nil)
            if annotates { JobSummary.add(Array(report.written(.markdown).utf8)) }
            try whenBroken(report)
            throw Failure(.invalid)
        }
        let named = options.target ?? Self.targetOfEnvironment
        let target = try choose(named, from: manifests.targets, paths: options.paths)
        if selection != nil { output.printDiagnostics(manifests.warningsWithoutFlows([target]), sources: sources) }
        let all = manifests.flows.filter { $0.target == target.name }
        let chosen = try selection?.choose(from: all) { ($0.id, $0.name) } ?? all
        if chosen.count < all.count {
            output.printNote("\(grouped(chosen.count)) of \(counted(all.count, "flow")) selected")
        }
        return Workspace(
            flows: TargetFlows(target: target, declared: all, selected: chosen, manifests: manifests.digests),
            sources: sources,
            arguments: CommandArguments(manifests: options.arguments, selection: selection?.arguments ?? []))
    }

    /// The target that `SLUICE_TARGET` names; an empty variable counts as missing.
    private static var targetOfEnvironment: String? {
        ProcessInfo.processInfo.environment["SLUICE_TARGET"].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func choose(
        _ name: String?, from targets: [Target], paths: [String]
    ) throws(Failure) -> Target {
        let names = targets.map(\.name).joined(separator: ", ")
        if let name {
            guard let target = targets.first(where: { $0.name == name }) else {
                throw Failure(.usage, "target '\(name)' is not declared; declared: \(names.isEmpty ? "none" : names)")
            }
            return target
        }
        guard let target = targets.first else {
            throw Failure(
                .invalid,
                "no target is declared in \(paths.isEmpty ? "the current folder" : paths.listed): let "
                    + "'sluice init' write one, or add a document such as",
                details: sampleTarget)
        }
        guard targets.count == 1 else {
            throw Failure(.usage, "\(targets.count) targets are declared (\(names)): choose one with --target")
        }
        return target
    }

    private static let sampleTarget = """
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: prod}
        spec:
          service: https://platform.adobe.io/data/foundation/flowservice
          organization: 1234@AdobeOrg
          sandbox: prod
          ledger: sqlite:.sluice/prod.sqlite
        """.split(separator: "\n").map(String.init)

    /// The names of the flows that have one.
    var names: [FlowID: String] {
        Dictionary(flows.declared.compactMap { flow in flow.name.map { (flow.id, $0) } }) { first, _ in first }
    }

    /// The expectations of the flows that declare one.
    var expectations: [FlowID: Expectation] {
        Dictionary(flows.declared.compactMap { flow in flow.expectation.map { (flow.id, $0) } }) { first, _ in first }
    }
}
