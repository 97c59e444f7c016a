import Applier
import ArgumentParser
import FlowRuns
import FlowService
import FlowServiceSimulator
import Ledger
import Manifests
import Reports

struct FlowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows", abstract: "List the flows of the sandbox, and which of them are declared.",
        discussion: """
            --format yaml prints a run manifest to start from. It declares every flow that is scheduled for one-time \
            ingestion and not declared yet, with the windows that the service has already run.

            EXAMPLES:
              sluice flows target.yaml
              sluice flows target.yaml --format yaml > flows.yaml
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<FlowInventory>()

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let command = self
        try await Signals.stopping { stop in try await command.show(workspace, stop) }
    }

    private func show(_ workspace: Workspace, _ stop: StopSignal) async throws {
        let connection = try await Connection.open(
            workspace.target, flows: workspace.simulatedFlows, options: service, stop: stop)
        do throws(FlowServiceError) {
            let flows = try await connection.service.flows().sorted { $0.id < $1.id }
            var inventory = FlowInventory(
                target: workspace.target.name, flows: flows, declarations: workspace.declarations)
            if format.chosen == .yaml { inventory.starting = try await entries(of: inventory, connection.service) }
            output.show(inventory, format)
            await connection.close()
        } catch {
            await connection.close()
            throw Failure(error)
        }
    }

    /// What a manifest to start from needs to know of each flow.
    private func entries(
        of inventory: FlowInventory, _ service: HTTPFlowService
    ) async throws(FlowServiceError) -> [StartingManifest.Entry] {
        var entries: [StartingManifest.Entry] = []
        var kinds: [String: SourceKind] = [:]
        for flow in inventory.undeclaredOneTime {
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

extension Failure {
    init(_ error: FlowServiceError) {
        switch error {
        case .unauthorized: self.init(.unauthorized, error.description)
        case .stopped: self.init(.incomplete, error.description)
        case .unavailable, .unreadable, .refused: self.init(.unavailable, error.description)
        }
    }
}
