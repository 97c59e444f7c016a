import ArgumentParser
import FlowRuns
import FlowServiceSimulator
import Foundation
import Manifests
import Reports

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Run a local simulator of the Flow Service, for tests and demos.",
        discussion: """
            Listens on the loopback address until it is stopped. Its flows come from --flows (a file in the form of the \
            answer to 'GET /flows') or from manifests: every declared flow, scheduled for one-time ingestion. \
            'GET /simulator/statistics' counts the runs that it accepted.

            EXAMPLES:
              sluice simulate manifests/ --port 8080
              sluice simulate --flows flows.json --runs runs.json --state service.jsonl
              sluice simulate manifests/ --listing-lag PT30S --last-run-details ended
              sluice simulate manifests/ --fault 500-after:0.1 --seed 7

            FAULTS ([SCOPE/]NAME[:TIME][:RATE][@N]; the same --seed gives the same faults; SCOPE is \
            post-runs, re-trigger, get-runs, get-flows, token or any):
            \(Fault.catalogue.map { "  \($0.name)\n      \($0.meaning)" }.joined(separator: "\n"))
            """)

    @Argument(
        help: ArgumentHelp("Manifests that declare the flows.", valueName: "path"), transform: pathArgument)
    var paths: [String] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup(title: "Server") var server: ServerOptions
    @OptionGroup(title: "Runs and how they move") var runs: RunOptions
    @OptionGroup(title: "What lists and flows tell") var lists: ListOptions

    func run() async throws {
        var configuration = FlowServiceSimulator.Configuration()
        try server.apply(to: &configuration)
        runs.apply(to: &configuration.sandbox)
        lists.apply(to: &configuration.sandbox)
        let others = try runs.foreignRuns()
        if !paths.isEmpty {
            let files = try ManifestFiles.read(paths)
            let (manifests, diagnostics) = try files.load()
            output.printDiagnostics(diagnostics, sources: files.sources)
            guard !diagnostics.hasErrors else { throw Failure(.invalid) }
            configuration.flows += manifests.flows.map(SimulatedFlow.init)
        }
        let simulator: RunningSimulator
        do {
            simulator = try await FlowServiceSimulator.start(configuration)
            try await simulator.add(runs: others)
        } catch {
            throw Failure(.unavailable, "the simulator cannot start: \(error)")
        }
        output.printNote(
            "the simulator is listening, with \(counted(configuration.flows.count, "flow")); press Ctrl-C to stop it")
        Console.output("\(simulator.baseURL)")
        _ = try await Signals.stopping { stop in await stop.wait() }
        await simulator.stop()
    }
}

extension SimulateCommand {
    /// Options for the server: its address, its state and its faults.
    struct ServerOptions: ParsableArguments {
        @Option(help: "The port; 0 picks a free one.") var port = 8080
        @Option(
            help: "Flows as 'GET /flows' returns them, in JSON.", completion: .file(extensions: ["json"]),
            transform: pathArgument)
        var flows: String?
        @Option(
            help: "Keep the state in this file; otherwise in memory.", completion: .file(), transform: pathArgument)
        var state: String?
        @Option(help: "A fault (repeatable); see above.") var fault: [String] = []
        @Option(help: "The same seed gives the same ids, ends of runs and faults.") var seed: UInt64 = 0
        @Option(
            name: .customLong("date-skew"),
            help: ArgumentHelp(
                "Offset of the service's clock from this machine's, such as 5m, or --date-skew=-5m for behind.",
                valueName: "duration"), transform: SignedDuration.init)
        var dateSkew: SignedDuration?
        @Flag(name: .customLong("no-date"), help: "Send no Date header.") var sendsNoDate = false
        @Flag(
            name: .customLong("require-sign-in"),
            help: "Accept only the client of SLUICE_CLIENT_ID and SLUICE_CLIENT_SECRET, with tokens of /ims/token/v3.")
        var requiresSignIn = false
        @Option(
            name: .customLong("token-lifetime"),
            help: ArgumentHelp("Lifetime of a token, such as 30s.", valueName: "duration"),
            transform: TimeLimit.init)
        var tokenLifetime: TimeLimit?

        func validate() throws {
            guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535") }
        }

        func apply(to configuration: inout FlowServiceSimulator.Configuration) throws(Failure) {
            configuration.port = port
            configuration.statePath = state
            configuration.seed = seed
            configuration.sendsDate = !sendsNoDate
            if let skew = dateSkew?.duration {
                configuration.now = { FlowServiceSimulator.Configuration.systemTime() + skew }
            }
            if let tokenLifetime { configuration.signIn.tokenLifetime = max(.seconds(1), tokenLifetime.duration) }
            if requiresSignIn { configuration.signIn.client = try client() }
            do { configuration.faults = try fault.map { try Fault.parse($0) } } catch {
                throw Failure(.usage, "\(error)")
            }
            guard let flows else { return }
            do { configuration.flows = try SimulatedFlowFile.read(path: flows) } catch {
                throw Failure(.invalid, "\(error)")
            }
        }

        private func client() throws(Failure) -> SignIn.Client {
            let environment = ProcessInfo.processInfo.environment
            guard let id = environment["SLUICE_CLIENT_ID"], let secret = environment["SLUICE_CLIENT_SECRET"] else {
                throw Failure(.configuration, "--require-sign-in needs SLUICE_CLIENT_ID and SLUICE_CLIENT_SECRET")
            }
            return SignIn.Client(id: id, secret: secret)
        }
    }

    /// Options for the runs: which ones exist, how long they take and how they end.
    struct RunOptions: ParsableArguments {
        @Option(
            help: "Runs created by others, as 'GET /runs' returns them, in JSON: ended ones, or scheduled for later.",
            completion: .file(extensions: ["json"]), transform: pathArgument)
        var runs: String?
        @Option(help: "Speed at which runs change state; at 1, a run takes 7 seconds.") var speed = 1.0
        @Option(name: .customLong("failed"), help: "Fraction of runs that fail, 0 to 1.") var failedRate = 0.0
        @Option(name: .customLong("partial"), help: "Fraction of runs that end with failed records, 0 to 1.")
        var partialRate = 0.0
        @Option(name: .customLong("empty"), help: "Fraction of runs that succeed without records, 0 to 1.")
        var emptyRate = 0.0
        @Option(name: .customLong("retriggered-failed"), help: "Fraction of re-triggered runs that fail, 0 to 1.")
        var retriggeredFailedRate = 0.0
        @Option(help: "What 'POST /runs' answers: wholeRun, items or idOnly.") var answer: RunAnswerShape = .wholeRun

        func validate() throws {
            guard speed > 0, speed.isFinite else { throw ValidationError("--speed must be above 0") }
            let rates = [failedRate, partialRate, emptyRate, failedRate + partialRate + emptyRate]
            guard rates.allSatisfy({ (0...1).contains($0) }) else {
                throw ValidationError(
                    "--failed, --partial and --empty must be from 0 to 1, and together no more than 1")
            }
            guard (0...1).contains(retriggeredFailedRate) else {
                throw ValidationError("--retriggered-failed must be from 0 to 1")
            }
        }

        func apply(to sandbox: inout SandboxConfiguration) {
            sandbox.pace = RunPace().times(speed)
            sandbox.outcomes = OutcomeRates(
                failed: failedRate, partial: partialRate, empty: emptyRate, retriggeredFailed: retriggeredFailedRate)
            sandbox.answerShape = answer
        }

        func foreignRuns() throws(Failure) -> [ForeignRun] {
            guard let runs else { return [] }
            do { return try SimulatedRunFile.read(path: runs) } catch { throw Failure(.invalid, "\(error)") }
        }
    }

    /// Options for the contents of lists and flows, and for their delay.
    struct ListOptions: ParsableArguments {
        @Option(name: .customLong("page-size"), help: "Items per page of a listing.") var pageSize = 100
        @Option(help: "Behaviour of pages while runs are added: stable or shifting.") var paging: Paging = .stable
        @Option(
            name: .customLong("several-values"),
            help: ArgumentHelp(
                "What a filter with several values means, such as id==A,B: any (of them), first (the first alone), literal "
                    + "(one value with a comma), ignored (the filter is passed over) or refused (400)."))
        var severalValues: SeveralValuesMeaning = .any
        @Option(
            name: .customLong("listing-lag"),
            help: ArgumentHelp(
                "Delay from the creation of a run until it is listed, such as 30s.", valueName: "duration"),
            transform: TimeLimit.init)
        var listingLag: TimeLimit?
        @Option(
            name: .customLong("listed-windows"),
            help: "Part of a listing with a run's window: parameters, copyActivity or unknown.")
        var listedWindows: ListedWindows = .parameters
        @Option(
            name: .customLong("window-delay"),
            help: ArgumentHelp("Delay from the creation of a run until its window is listed.", valueName: "duration"),
            transform: TimeLimit.init)
        var windowDelay: TimeLimit?
        @Option(
            name: .customLong("last-run-details"),
            help: ArgumentHelp(
                "Which run a flow names as its last: all (the newest), ended (the newest that has ended), late (the newest "
                    + "made more than a minute ago) or missing (none)."))
        var lastRunDetails: LastRunDetails = .all
        @Flag(name: .customLong("no-client"), help: "Omit the client application that created a run.")
        var hidesClient = false

        func validate() throws {
            guard pageSize > 0 else { throw ValidationError("--page-size must be above 0") }
        }

        func apply(to sandbox: inout SandboxConfiguration) {
            sandbox.pageSize = pageSize
            sandbox.paging = paging
            sandbox.severalValues = severalValues
            sandbox.listingLag = listingLag?.duration ?? .zero
            sandbox.listedWindows = listedWindows
            sandbox.windowDelay = windowDelay?.duration ?? .zero
            sandbox.lastRunDetails = lastRunDetails
            sandbox.listsClient = !hidesClient
        }
    }
}

/// A duration with an optional sign: `5m` or `-5m`.
struct SignedDuration {
    let duration: Duration

    init(_ argument: String) throws {
        let isNegative = argument.hasPrefix("-")
        let span = try TimeLimit(isNegative ? String(argument.dropFirst()) : argument)
        duration = isNegative ? .zero - span.duration : span.duration
    }
}

extension RunAnswerShape: ExpressibleByArgument {}
extension ListedWindows: ExpressibleByArgument {}
extension Paging: ExpressibleByArgument {}
extension SeveralValuesMeaning: ExpressibleByArgument {}
extension LastRunDetails: ExpressibleByArgument {}
