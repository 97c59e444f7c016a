import ArgumentParser
import FlowRuns
import FlowService
import Foundation
import HTTPFlowService
import Manifests
import Reports
import Text

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Write a target and a manifest to start from.",
        discussion: """
            Asks for missing options on a terminal. If credentials are in the environment, the manifest declares every \
            flow that the sandbox has for one-time ingestion, with the windows of its runs; otherwise the manifest is \
            an example. Writes target.yaml, flows.yaml and, for editors, manifest.schema.json; never overwrites files.

            EXAMPLES:
              sluice init                                        ask for everything
              sluice init manifests/ --service embedded          try it with the simulator
              sluice init --organization 1234@AdobeOrg --sandbox prod --ledger git:

            \(credentialsHelp)
            """)

    @Argument(help: "The folder, which is created if it is missing.", completion: .directory, transform: pathArgument)
    var folder = "."
    @Option(help: "The address of the Flow Service, or 'embedded' for the simulator.") var service: String?
    @Option(help: "The organisation, such as 1234@AdobeOrg.") var organization: String?
    @Option(help: "The sandbox.") var sandbox: String?
    @Option(help: "The target's name. Default: the sandbox.") var target: String?
    @Option(help: "Where runs are recorded: sqlite:PATH, git: or postgres://USER@HOST/DATABASE.") var ledger: String?
    @Flag(name: .customLong("skip-flows"), help: "Do not read the sandbox's flows.") var skipsFlows = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var serviceOptions: ServiceOptions

    func run() async throws {
        let prefix = folder.folderPrefix
        let paths = ["target.yaml", "flows.yaml"].map { prefix + $0 }
        let present = paths.filter { FileManager.default.fileExists(atPath: $0) }
        guard present.isEmpty else {
            throw Failure(
                .usage, "\(present.listed) \(present.count == 1 ? "exists" : "exist") already",
                details: ["sluice init writes new files only: name another folder, as in 'sluice init manifests/'"])
        }
        let answers = InitAnswers(options: options)
        let template =
            Console.isInputTerminal && Console.isErrorTerminal ? try answers.ask() : try answers.fromOptions()
        let targetFile = SourceFile(path: paths[0], bytes: Array(template.yaml.utf8))
        let (manifests, diagnostics) = ManifestLoader().load([targetFile])
        output.printDiagnostics(diagnostics, sources: [targetFile])
        guard let target = manifests.targets.first else { throw Failure(.invalid) }

        let adopted = try await adopt(target)
        let example = template.exampleManifest(from: Self.weekAgo)
        try FileOutput.write(targetFile.bytes, to: paths[0])
        try FileOutput.write(Array((adopted?.yaml ?? example).utf8), to: paths[1])
        try writeSchema(prefix + "manifest.schema.json")
        output.printNote("wrote \(paths[0]): target \(target.name)")
        output.printNote("wrote \(paths[1]): \(adopted.map(\.summary) ?? "an example")")
        for line in nextSteps(template, paths: paths, isAdopted: adopted != nil) { output.printNote("\(line)") }
    }

    /// Writes the schema that the first line of both files refers to, for completion and validation in editors.
    private func writeSchema(_ path: String) throws(Failure) {
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try FileOutput.write(Schema.manifest.bytes, to: path)
    }

    /// The date a week ago, so that the example has windows to request.
    private static var weekAgo: String {
        let day = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - 7 * 86_400)
        return String("\(day)".prefix(10))
    }

    private var options: [InitQuestion: String] {
        let answers: [InitQuestion: String?] = [
            .service: service, .organization: organization, .sandbox: sandbox, .target: target, .ledger: ledger,
        ]
        return answers.compactMapValues(\.self)
    }

    /// Reads the flows of the sandbox; returns `nil` if reading is skipped or there is nothing to declare.
    private func adopt(_ target: Target) async throws -> ManifestTemplate? {
        guard !skipsFlows, case .address = target.service, Self.hasCredentials else { return nil }
        let inventory: FlowInventory
        do {
            inventory = try await read(target, .recorded)
        } catch let failure as Failure where failure.status == .fileError {
            output.printNote("the runs are not in the ledger yet: \(failure.message)")
            inventory = try await read(target, .notRecorded)
        }
        guard !inventory.starting.isEmpty else { return nil }
        return inventory.template
    }

    private func read(_ target: Target, _ runs: FlowInventory.Runs) async throws -> FlowInventory {
        let (options, progress) = (serviceOptions, Progress("read", output: output))
        return try await Signals.stopping { stop in
            try await FlowInventory.read(target, runs: runs, options: options, progress: progress, stop: stop)
        }
    }

    /// Whether the environment contains credentials. Incomplete ones count, so that the user sees the error.
    private static var hasCredentials: Bool {
        do {
            _ = try Credentials.fromEnvironment(ProcessInfo.processInfo.environment)
            return true
        } catch {
            return error != .none
        }
    }

    private func nextSteps(_ template: TargetTemplate, paths: [String], isAdopted: Bool) -> [String] {
        let plan = "sluice plan \(shellWord(folder))"
        if template.isEmbedded || isAdopted { return ["next: \(plan)"] }
        return [
            "next:",
            "  1. put credentials into the environment: SLUICE_ACCESS_TOKEN and SLUICE_API_KEY,",
            "     or SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET and SLUICE_SCOPES",
            "  2. sluice flows \(shellWord(paths[0]))",
            "  3. declare in \(paths[1]) what it lists",
            "  4. \(plan)",
        ]
    }
}
