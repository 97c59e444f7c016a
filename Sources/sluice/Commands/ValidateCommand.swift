import ArgumentParser
import Manifests
import Reports

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check manifests, without service or ledger.",
        discussion: """
            Reports all errors of all files at once, with their places, and exits with 65 when there is an error.

            EXAMPLES:
              sluice validate manifests/
              sluice validate manifests/ --format github     annotations for a workflow
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, github
    }

    @OptionGroup var manifests: ManifestPaths
    @OptionGroup var output: OutputOptions
    @Option(help: "How diagnostics are written.") var format: Format = .text

    func run() throws {
        let sources = try ManifestFiles.read(manifests.paths)
        let (set, diagnostics) = ManifestLoader().load(sources)
        switch format {
        case .text: Workspace.show(diagnostics, sources, output)
        case .json: Console.output(diagnosticsJSON(diagnostics))
        case .github: Console.output(GitHubAnnotations().render(diagnostics))
        }
        guard !diagnostics.hasErrors else { throw Failure(.invalid) }
        output.say("\(sources.count) file(s): \(set.targets.count) target(s), \(set.flows.count) flow(s), no errors")
    }
}
