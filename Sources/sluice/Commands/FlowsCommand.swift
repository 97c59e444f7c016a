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
        commandName: "flows", abstract: "Show the flows of the sandbox, and which of them are declared.",
        discussion: """
            With --format yaml it prints a run manifest to start from: every flow scheduled for one-time ingestion that \
            no manifest declares yet, with the windows that the service has run already.

            EXAMPLES:
              sluice flows target.yaml
              sluice flows target.yaml --format yaml > flows.yaml
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, yaml
    }

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "text, json or yaml.") var format: Format = .text

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let command = self
        try await Signals.stopping { stop in try await command.show(workspace, stop) }
    }

    private func show(_ workspace: Workspace, _ stop: StopSignal) async throws {
        let connection = try await Connection.open(
            workspace.target, flows: workspace.declarations.map(SimulatedFlow.init), options: service, stop: stop)
        do throws(FlowServiceError) {
            let flows = try await connection.service.flows().sorted { $0.id < $1.id }
            let inventory = FlowInventory(flows: flows, declarations: workspace.declarations)
            switch format {
            case .text: Console.output(inventory.text(output.style))
            case .json: Console.output(inventory.json())
            case .yaml: Console.output(try await manifest(of: inventory, connection.service, workspace.target))
            }
            await connection.close()
        } catch {
            await connection.close()
            throw Failure(error)
        }
    }

    private func manifest(
        of inventory: FlowInventory, _ service: HTTPFlowService, _ target: Target
    ) async throws(FlowServiceError) -> String {
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
                    flow: flow, source: kind ?? (flow.deltaColumn == nil ? .file : .table),
                    runs: try await service.runs(of: flow.id)))
        }
        return StartingManifest(target: target.name, entries: entries).yaml
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
