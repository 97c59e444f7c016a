import Applier
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests
import Planner
import Reports
import SQLiteLedger
import Synchronization

/// The manifests of a command line, read and valid, and the one target that the command is about.
struct Workspace {
    let manifests: ManifestSet
    let target: Target
    /// The target's flows that the command is about, by name.
    let declarations: [FlowDeclaration]
    /// Every flow of the target.
    let allDeclarations: [FlowDeclaration]
    let sources: [SourceFile]

    /// - Parameters:
    ///   - selection: of the flows; `nil` for all.
    ///   - showsWarnings: for commands that are about the manifests, not about what was recorded.
    ///   - annotates: the manifests' lines, for GitHub; otherwise people are told, on standard error.
    ///   - files: the files where they have been read already.
    ///   - asOf: when windows are due, for commands that plan: warns where the rules of a time zone differ for one.
    /// - Throws: with status 65 after all diagnostics were shown.
    static func load(
        _ options: ManifestOptions, _ output: OutputOptions, _ selection: FlowSelection? = nil,
        showsWarnings: Bool = false, annotates: Bool = false, files: ManifestFiles? = nil,
        dueAt asOf: Timestamp? = nil
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
            output.tell(diagnostics, sources)
        }
        guard !diagnostics.hasErrors else { throw Failure(.invalid) }
        let target = try choose(options.target, from: manifests.targets, paths: options.paths)
        if selection != nil { output.tell(manifests.flowless([target]), sources) }
        let all = manifests.flows.filter { $0.target == target.name }
        let chosen = try selection?.choose(from: all) { ($0.id, $0.name) } ?? all
        if chosen.count < all.count { output.say("\(grouped(chosen.count)) of \(counted(all.count, "flow")) selected") }
        return Workspace(
            manifests: manifests, target: target, declarations: chosen, allDeclarations: all, sources: sources,
            arguments: CommandArguments(manifests: options.arguments, selection: selection?.arguments ?? []))
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

    /// Of commands in hints.
    let arguments: CommandArguments

    /// The same for other flows of the target.
    func about(_ flows: Set<FlowID>) -> Workspace {
        Workspace(
            manifests: manifests, target: target, declarations: allDeclarations.filter { flows.contains($0.id) },
            allDeclarations: allDeclarations, sources: sources, arguments: arguments)
    }

    /// The names of the flows that have one.
    var names: [FlowID: String] {
        Dictionary(allDeclarations.compactMap { flow in flow.name.map { (flow.id, $0) } }) { first, _ in first }
    }

    /// What is expected of the runs of flows that say so.
    var expectations: [FlowID: Expectation] {
        Dictionary(allDeclarations.compactMap { flow in flow.expectation.map { (flow.id, $0) } }) { first, _ in first }
    }

    /// Flows that no manifest declares any more and that these replace: they are read, and nothing is requested of them.
    func replacedFlows(of declarations: [FlowDeclaration]) -> [FlowDeclaration] {
        var known = Set(allDeclarations.map(\.id))
        return declarations.flatMap { flow in
            flow.replaced.filter { known.insert($0).inserted }.map { id in
                FlowDeclaration(
                    id: id, manifest: flow.manifest, owner: flow.owner, target: flow.target, source: flow.source,
                    acknowledged: flow.acknowledged, place: flow.place)
            }
        }
    }

    /// Plans every flow of the target against the ledger.
    func plan(asOf: Timestamp, ledger: TargetLedger) async throws(LedgerError) -> Plan {
        var flows: [FlowPlan] = []
        let predecessors = try await predecessors(asOf: asOf, ledger: ledger)
        for flow in declarations { flows.append(try await plan(flow, predecessors, asOf: asOf, ledger: ledger)) }
        let plan = Plan(asOf: asOf, target: target, manifests: manifests.digests, flows: flows)
        guard plan.hasRunLimits else { return plan }
        // Whatever windows are asked for, they are asked for today; a plan of the future is one of its day.
        let day = max(asOf, SystemTime().now())
        return plan.limited(by: try await ledger.store.usage(allDeclarations.map(\.id), at: day))
    }

    /// Plans a flow, of whose recorded runs only a part is in memory.
    private func plan(
        _ declaration: FlowDeclaration, _ predecessors: [FlowID: Predecessor], asOf: Timestamp, ledger: TargetLedger
    ) async throws(LedgerError) -> FlowPlan {
        let planning = Mutex(
            FlowPlanning(
                declaration, replaced: try await ledger.store.replaced(declaration.replaced),
                predecessors: declaration.predecessors.compactMap { predecessors[$0] }, asOf: asOf))
        let record = Mutex(FlowRecord(id: declaration.id))
        try await ledger.store.scanRuns(declaration.id) { part in
            record.withLock { $0 = part.record }
            planning.withLock { $0.take(part.runs) }
            return true
        }
        let found = record.withLock { $0 }
        return planning.withLock { $0.plan(record: found) }
    }

    /// A flow, and all that a view needs to know of it.
    struct PlannedFlow {
        let declaration: FlowDeclaration
        let plan: FlowPlan
        let kept: FlowSnapshot
        /// Recorded of the flows that it replaces.
        let replacedRuns: [RecordedRun]
    }

    /// What `view` makes of each flow; one flow's runs are in memory at a time.
    func planned<View>(
        asOf: Timestamp, ledger: TargetLedger, _ view: (PlannedFlow) -> View
    ) async throws(LedgerError) -> [View] {
        let planner = Planner(asOf: asOf)
        let predecessors = try await predecessors(asOf: asOf, ledger: ledger)
        var views: [View] = []
        for declaration in declarations {
            let kept = try await ledger.store.snapshot(of: declaration.id)
            let replaced = try await ledger.store.replaced(declaration.replaced)
            let plan = planner.plan(
                declaration, record: kept.record, runs: kept.runs, replaced: replaced,
                predecessors: declaration.predecessors.compactMap { predecessors[$0] })
            views.append(
                view(
                    PlannedFlow(
                        declaration: declaration, plan: plan, kept: kept, replacedRuns: replaced.flatMap(\.runs))))
        }
        return views
    }

    private func predecessors(
        asOf: Timestamp, ledger: TargetLedger
    ) async throws(LedgerError) -> [FlowID: Predecessor] {
        var predecessors: [FlowID: Predecessor] = [:]
        for id in Set(declarations.flatMap(\.predecessors)) {
            predecessors[id] = try await predecessor(id, Planner(asOf: asOf), ledger)
        }
        return predecessors
    }

    /// A flow that others come after, whether the command is about it or not.
    private func predecessor(
        _ id: FlowID, _ planner: Planner, _ ledger: TargetLedger
    ) async throws(LedgerError) -> Predecessor? {
        guard let declaration = allDeclarations.first(where: { $0.id == id }) else { return nil }
        let kept = try await ledger.store.snapshot(of: id)
        let replaced = try await ledger.store.replaced(declaration.replaced)
        let plan = planner.plan(declaration, record: kept.record, runs: kept.runs, replaced: replaced)
        return Predecessor(declaration, plan, runs: kept.runs + replaced.flatMap(\.runs))
    }
}
