import ArgumentParser
import Planner
import Reports

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a saved plan, with its digest.",
        discussion: """
            Prints what 'sluice apply FILE' would send, in every format of 'plan'. Needs neither manifests nor the \
            ledger. An edited plan is refused.

            EXAMPLES:
              sluice show plan.json
              sluice show plan.json --format markdown
            """)

    @Argument(
        help: "The saved plan; - is standard input.", completion: .file(extensions: ["json"]), transform: pathArgument)
    var plan: String
    @OptionGroup var output: OutputOptions
    @Option(help: "Output format.") var format = Format<PlanReport>()

    func run() throws {
        guard let file = try ManifestFiles.read([plan]).sources.first else { throw Failure.cannot("read", plan) }
        let bytes = savedPlanBytes(file.bytes)
        let saved: Plan
        do { saved = try readPlan(bytes) } catch { throw Failure(.invalid, "\(plan): \(error)") }
        let digest = planDigest(bytes)
        output.show(PlanReport(saved, digest: digest, arguments: saved.arguments), format)
        if format.chosen == .text { Console.output("Digest: \(digest)") }
    }
}
