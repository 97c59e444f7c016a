import Applier
import FlowRuns
import FlowService
import FlowServiceSimulator
import HTTPFlowService
import Ledger
import Manifests
import Reports

extension FlowInventory {
    /// A choice of what to read about the runs of undeclared flows.
    enum Runs {
        case none
        /// The runs are also recorded in the target's ledger, so that a plan of the generated manifest has no requests.
        case recorded
        case notRecorded
    }

    /// Reads the flows of the target's sandbox.
    ///
    /// - Parameters:
    ///   - simulated: The flows of the embedded simulator.
    ///   - runs: Whether to read the runs for ``starting``.
    ///   - progress: Shows how many flows' runs have been read.
    static func read(
        _ target: Target, declarations: [FlowDeclaration] = [], simulated: [SimulatedFlow] = [], runs: Runs,
        options: ServiceOptions, progress: Progress, stop: StopSignal
    ) async throws -> FlowInventory {
        try await Connection.with(target, flows: simulated, options: options, stop: stop) { service in
            var inventory = try await Self.read(target, declarations, service)
            if runs != .none, !inventory.undeclaredOneTime.isEmpty {
                let flows = try await inventory.undeclared(of: target, service)
                if runs == .recorded {
                    inventory.starting = try await TargetLedger.with(target, writing: true) { ledger in
                        try await entries(flows, ledger.context(service, stop: stop), target, progress)
                    }
                } else {
                    let context = ApplierContext(
                        store: InMemoryStore(), service: service, limits: target.limits, stop: stop)
                    inventory.starting = try await entries(flows, context, target, progress)
                }
            }
            return inventory
        }
    }

    private static func read(
        _ target: Target, _ declarations: [FlowDeclaration], _ service: HTTPFlowService
    ) async throws(Failure) -> FlowInventory {
        do throws(FlowServiceError) {
            let flows = try await service.flows().sorted { $0.id < $1.id }
            return FlowInventory(target: target.name, flows: flows, declarations: declarations)
        } catch { throw Failure(error) }
    }

    /// Returns the flows that can be declared and are not, without their windows.
    private func undeclared(
        of target: Target, _ service: HTTPFlowService
    ) async throws(Failure) -> [FlowDeclaration] {
        do throws(FlowServiceError) {
            var kinds: [String: SourceKind] = [:]
            for id in Set(undeclaredOneTime.compactMap(\.specification)) {
                guard let specification = try await service.runSpecification(id) else { continue }
                kinds[id] = specification.types["deltaColumn"] == nil ? .file : .table
            }
            return undeclaredOneTime.map { flow in
                FlowDeclaration(
                    id: flow.id, name: flow.name, manifest: target.name, target: target.name,
                    source: flow.specification.flatMap { kinds[$0] } ?? (flow.deltaColumn == nil ? .file : .table),
                    place: target.place)
            }
        } catch { throw Failure(error) }
    }

    /// Refreshes the flows' runs into the ledger, and returns the recorded runs as manifest entries.
    private static func entries(
        _ flows: [FlowDeclaration], _ context: ApplierContext, _ target: Target, _ progress: Progress
    ) async throws -> [ManifestTemplate.Entry] {
        let refresh = Refresh(context: context, wireForm: target.wireForm)
        let results = await refresh.run(flows) { progress.advance(of: flows.count) }
        progress.end()
        for result in results {
            switch result.end {
            case .read, .absent: continue
            case .stopped: throw Failure(.incomplete)
            case .failed(let error): throw Failure(error)
            }
        }
        var entries: [ManifestTemplate.Entry] = []
        for flow in flows {
            let snapshot = try await context.store.snapshot(of: flow.id)
            entries.append(
                ManifestTemplate.Entry(
                    id: flow.id, name: flow.name, source: flow.source, deltaColumn: snapshot.record.deltaColumn,
                    runs: snapshot.runs.filter(\.state.isAccepted)))
        }
        return entries
    }
}
