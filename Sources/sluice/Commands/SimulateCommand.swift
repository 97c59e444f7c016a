import ArgumentParser
import FlowServiceSimulator
import Foundation
import Manifests

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Serve a faithful local Flow Service, for tests, demos and rehearsals.",
        discussion: """
            Serves on the loopback address until it is stopped. Its flows come from --flows (as 'GET /flows' answers), or \
            from manifests: every declared flow, scheduled for one-time ingestion. 'GET /simulator/statistics' counts what \
            it took.

            EXAMPLES:
              sluice simulate manifests/ --port 8080
              sluice simulate --flows flows.json --state service.jsonl
              sluice simulate manifests/ --fault 500-after:0.1 --seed 7

            FAULTS ([SCOPE/]NAME[:TIME][:RATE][@N], seeded and repeatable; SCOPE is \
            post-runs, re-trigger, get-runs, get-flows, token or any):
            \(Fault.catalogue.map { "  \($0.name)\n      \($0.meaning)" }.joined(separator: "\n"))
            """)

    @Argument(help: ArgumentHelp("Manifests that declare the flows.", valueName: "path")) var paths: [String] = []
    @OptionGroup var output: OutputOptions
    @Option(help: "The port; 0 takes a free one.") var port = 8080
    @Option(help: "Flows as 'GET /flows' answers them, in JSON.", completion: .file(extensions: ["json"])) var flows:
        String?
    @Option(help: "Keep the state in this file; otherwise in memory.", completion: .file()) var state: String?
    @Option(help: "A fault (repeatable); see below.") var fault: [String] = []
    @Option(help: "What chance follows from.") var seed: UInt64 = 0
    @Option(help: "What 'POST /runs' answers: wholeRun, items or idOnly.") var answer: RunAnswerShape = .wholeRun
    @Option(
        name: .customLong("listed-windows"),
        help: "Where a listing tells a run's window: parameters, copyActivity or unknown.")
    var listedWindows: ListedWindows = .parameters
    @Option(name: .customLong("page-size"), help: "Items on a page of a listing.") var pageSize = 100
    @Option(help: "How fast runs move through their states; 1 takes them some 7 seconds.") var speed = 1.0
    @Option(name: .customLong("failed"), help: "What part of the runs fails, 0 to 1.") var failedRate = 0.0
    @Option(name: .customLong("partial"), help: "What part of the runs ends with failed records, 0 to 1.")
    var partialRate = 0.0
    @Flag(
        name: .customLong("require-sign-in"),
        help: "Let in only the client of SLUICE_CLIENT_ID and SLUICE_CLIENT_SECRET, with tokens of /ims/token/v3.")
    var requiresSignIn = false
    @Option(
        name: .customLong("token-lifetime"),
        help: ArgumentHelp("How long a token is good, such as PT30S.", valueName: "duration"))
    var tokenLifetime: TimeLimit?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard speed > 0, speed.isFinite, pageSize > 0 else {
            throw ValidationError("--speed and --page-size must be above 0")
        }
        guard failedRate >= 0, partialRate >= 0, failedRate + partialRate <= 1 else {
            throw ValidationError("--failed and --partial must be from 0 to 1, and together no more than 1")
        }
    }

    func run() async throws {
        var configuration = FlowServiceSimulator.Configuration()
        configuration.port = port
        configuration.statePath = state
        configuration.seed = seed
        configuration.sandbox.answerShape = answer
        configuration.sandbox.listedWindows = listedWindows
        configuration.sandbox.pageSize = pageSize
        configuration.sandbox.pace = RunPace().times(speed)
        configuration.sandbox.outcomes = OutcomeRates(failed: failedRate, partial: partialRate)
        if let tokenLifetime { configuration.signIn.tokenLifetime = max(.seconds(1), tokenLifetime.duration) }
        if requiresSignIn { configuration.signIn.client = try client() }
        do { configuration.faults = try fault.map { try Fault.parse($0) } } catch {
            throw Failure(.usage, "\(error)")
        }
        if let flows {
            do { configuration.flows = try SimulatedFlowFile.read(path: flows) } catch {
                throw Failure(.invalid, "\(error)")
            }
        }
        if !paths.isEmpty {
            let sources = try ManifestFiles.read(paths)
            let (manifests, diagnostics) = ManifestLoader().load(sources)
            Workspace.show(diagnostics, sources, output)
            guard !diagnostics.hasErrors else { throw Failure(.invalid) }
            configuration.flows += manifests.flows.map(SimulatedFlow.init)
        }
        let simulator: RunningSimulator
        do { simulator = try await FlowServiceSimulator.start(configuration) } catch {
            throw Failure(.unavailable, "the simulator cannot start: \(error)")
        }
        output.say("the Flow Service simulator listens, with \(configuration.flows.count) flow(s); Ctrl-C ends it")
        Console.output("\(simulator.baseURL)\n")
        _ = try await Signals.stopping { stop in await stop.wait() }
        await simulator.stop()
    }
}

extension SimulateCommand {
    private func client() throws(Failure) -> SignIn.Client {
        let environment = ProcessInfo.processInfo.environment
        guard let id = environment["SLUICE_CLIENT_ID"], let secret = environment["SLUICE_CLIENT_SECRET"] else {
            throw Failure(.configuration, "--require-sign-in needs SLUICE_CLIENT_ID and SLUICE_CLIENT_SECRET")
        }
        return SignIn.Client(id: id, secret: secret)
    }
}

extension RunAnswerShape: ExpressibleByArgument {}
extension ListedWindows: ExpressibleByArgument {}
