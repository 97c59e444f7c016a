import FlowRuns
import Foundation
import Ledger
import Manifests
import Planner
import Reports
import SQLiteLedger

/// The manifests of a command line, read and valid, and the one target that the command is about.
struct Workspace {
    let manifests: ManifestSet
    let target: Target
    /// The target's flows, sorted.
    let declarations: [FlowDeclaration]
    let sources: [SourceFile]

    /// - Parameters:
    ///   - showsWarnings: for commands that are about the manifests, not about what was recorded.
    ///   - annotates: the manifests' lines, for GitHub; otherwise people are told, on standard error.
    /// - Throws: with status 65 after all diagnostics were shown.
    static func load(
        _ options: ManifestOptions, _ output: OutputOptions, showsWarnings: Bool = false, annotates: Bool = false
    ) throws(Failure) -> Workspace {
        let sources = try ManifestFiles.read(options.paths)
        let (manifests, diagnostics) = ManifestLoader().load(sources)
        if annotates {
            DiagnosticsReport(diagnostics, sources: sources).write(.github) { Console.output($0) }
        } else if showsWarnings || diagnostics.hasErrors {
            output.tell(diagnostics, sources)
        }
        guard !diagnostics.hasErrors else { throw Failure(.invalid) }
        let target = try choose(options.target, from: manifests.targets, paths: options.paths)
        return Workspace(
            manifests: manifests, target: target, declarations: manifests.flows.filter { $0.target == target.name },
            sources: sources)
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
                "no target is declared in \(paths.isEmpty ? "the current folder" : paths.listed): add a document of 'kind: Target'"
            )
        }
        guard targets.count == 1 else {
            throw Failure(.usage, "\(targets.count) targets are declared (\(names)): choose one with --target")
        }
        return target
    }

    /// The names of the flows that have one.
    var names: [FlowID: String] {
        Dictionary(declarations.compactMap { flow in flow.name.map { (flow.id, $0) } }) { first, _ in first }
    }

    /// Plans every flow of the target against the ledger.
    func plan(asOf: Timestamp, ledger: TargetLedger) async throws(LedgerError) -> Plan {
        let flows = try await planned(asOf: asOf, ledger: ledger) { _, plan, _ in plan }
        return Plan(asOf: asOf, target: target, manifests: manifests.digests, flows: flows)
    }

    /// What `view` makes of each flow, its plan and its recorded runs; one flow's runs are in memory at a time.
    func planned<View>(
        asOf: Timestamp, ledger: TargetLedger, _ view: (FlowDeclaration, FlowPlan, [RecordedRun]) -> View
    ) async throws(LedgerError) -> [View] {
        let planner = Planner(asOf: asOf)
        var views: [View] = []
        for declaration in declarations {
            let kept = try await ledger.store.snapshot(of: declaration.id)
            let plan = planner.plan(declaration, record: kept.record, runs: kept.runs)
            views.append(view(declaration, plan, kept.runs))
        }
        return views
    }
}
