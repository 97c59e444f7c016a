import FlowRuns
import FlowService
import FlowServiceSimulator
import Manifests
import Reports

extension FlowInventory {
    /// Reads the flows of the target's sandbox.
    ///
    /// - Parameters:
    ///   - simulated: what the embedded simulator has.
    ///   - includesWindows: of each flow that could be declared; see ``starting``.
    static func read(
        _ target: Target, declarations: [FlowDeclaration] = [], simulated: [SimulatedFlow] = [], includesWindows: Bool,
        options: ServiceOptions, stop: StopSignal
    ) async throws(Failure) -> FlowInventory {
        let connection = try await Connection.open(target, flows: simulated, options: options, stop: stop)
        do throws(FlowServiceError) {
            let flows = try await connection.service.flows().sorted { $0.id < $1.id }
            var inventory = FlowInventory(target: target.name, flows: flows, declarations: declarations)
            if includesWindows { inventory.starting = try await inventory.entries(connection.service) }
            await connection.close()
            return inventory
        } catch {
            await connection.close()
            throw Failure(error)
        }
    }

    /// What a manifest to start from needs to know of each flow.
    private func entries(_ service: HTTPFlowService) async throws(FlowServiceError) -> [StartingManifest.Entry] {
        var entries: [StartingManifest.Entry] = []
        var kinds: [String: SourceKind] = [:]
        for flow in undeclaredOneTime {
            var kind: SourceKind?
            if let id = flow.specification {
                kind = kinds[id]
                if kind == nil, let specification = try await service.runSpecification(id) {
                    kind = specification.types["deltaColumn"] == nil ? .file : .table
                    kinds[id] = kind
                }
            }
            entries.append(
                StartingManifest.Entry(
                    id: flow.id, name: flow.name, source: kind ?? (flow.deltaColumn == nil ? .file : .table),
                    deltaColumn: flow.deltaColumn, runs: try await service.runs(of: flow.id)))
        }
        return entries
    }
}
