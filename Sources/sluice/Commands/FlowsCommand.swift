import ArgumentParser
import FlowService
import Reports

struct FlowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows", abstract: "List the flows of the sandbox, and which of them are declared.",
        discussion: """
            --format yaml prints a run manifest to start from. It declares every flow that is scheduled for one-time \
            ingestion and not declared yet, with the windows that the service has already run, and records these runs in \
            the ledger: a plan of that manifest finds nothing to do.

            EXAMPLES:
              sluice flows target.yaml
              sluice flows target.yaml --format yaml > flows.yaml

            \(credentialsHelp)
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<FlowInventory>()

    func run() async throws {
        let workspace = try Workspace.load(manifests, output)
        let command = self
        let isManifest = format.chosen == .yaml
        if isManifest, let path = TargetLedger.newFile(of: workspace.target) {
            output.printNote("creating a new ledger: \(path)")
        }
        let inventory = try await Signals.stopping { stop in
            try await FlowInventory.read(
                workspace.target, declarations: workspace.flows.selected, simulated: workspace.simulatedFlows,
                runs: isManifest ? .recorded : .none, options: command.service,
                progress: Progress("read", output: command.output), stop: stop)
        }
        output.show(inventory, format)
    }
}

extension Failure {
    init(_ error: FlowServiceError) {
        switch error {
        case .unauthorized: self.init(.unauthorized, error.description)
        case .stopped: self.init(.incomplete, error.description)
        case .unavailable, .unreadable, .malformed, .refused, .stale: self.init(.unavailable, error.description)
        }
    }
}
