import Foundation
import Testing

/// A user with manifests, and the service in its own process.
struct World {
    var user: Program
    let simulator: SimulatorProcess
    /// The number of windows that the manifests declare.
    let windows: Int

    static let apply = ["apply", "flows.yaml", "target.yaml", "--yes"]
    /// The settle time of the quick limits, in seconds.
    private static let quickSettle = 1.2
    static let quickLimits = """
        {requestsPerSecond: 1000, parallelFlows: 4, requestTimeout: PT0.4S, settle: PT\(quickSettle)S, \
        maxRunsPerApply: 5000}
        """

    /// Limits for tests that count calls: even a slow machine has enough time to never repeat a request.
    static let patientLimits = """
        {requestsPerSecond: 1000, parallelFlows: 4, requestTimeout: PT2S, settle: PT6S, maxRunsPerApply: 5000}
        """

    /// Creates the manifests and starts the service.
    ///
    /// - Parameters:
    ///   - flows: The number of flows; every third one is file-based.
    ///   - options: Options of `sluice simulate`.
    init(
        flows: Int, windows: Int, limits: String = quickLimits, more: String = "",
        ledger: String = "sqlite:ledger.sqlite", _ options: String...
    ) async throws {
        try await self.init(flows: flows, windows: windows, limits: limits, more: more, ledger: ledger, options)
    }

    init(
        flows: Int, windows: Int, limits: String = quickLimits, more: String = "",
        ledger: String = "sqlite:ledger.sqlite", _ options: [String]
    ) async throws {
        var user = try Program()
        user.environment = ["SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        let declared = (0..<flows).map {
            Fixture.flow(Fixture.id($0), windows: windows, column: $0 % 3 == 2 ? nil : "DOB", more: more)
        }
        try user.write(Fixture.manifest(declared), to: "flows.yaml")
        try user.write(Fixture.target(), to: "target.yaml")
        simulator = try await SimulatorProcess(user, ["flows.yaml", "target.yaml"] + options)
        try user.write(Fixture.target(service: simulator.address, limits: limits, ledger: ledger), to: "target.yaml")
        self.user = user
        self.windows = flows * windows
    }

    @discardableResult
    func apply(_ more: String...) async throws -> Program.Result { try await user.run(Self.apply + more) }

    /// Runs a command on the manifests.
    func run(_ command: String..., more: [String] = []) async throws -> Program.Result {
        try await user.run(command + ["flows.yaml", "target.yaml"] + more)
    }

    /// Removes the ledger, as on a new runner or after the loss of a disk.
    func loseLedger() throws {
        for file in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
            try? FileManager.default.removeItem(at: user.path(file))
        }
    }

    /// Checks that the apply waited for runs that may not be listed yet, or that the settle time had already passed.
    ///
    /// - Parameter start: A time before the first request.
    func expectWait(_ result: Program.Result, since start: ContinuousClock.Instant) {
        let isOver = .now - start > .seconds(Self.quickSettle)
        #expect(result.errors.contains("may not be listed yet") || isOver, "\(result.errors)")
    }

    /// Checks that each declared window has one run on the service and in the ledger.
    func expectOnceEach() async throws {
        let plan = try await run("plan", more: ["--detailed-exitcode"])
        #expect(plan.status == 0, "\(plan.output)")
        let counts = try await simulator.statistics()
        #expect(counts.runsTaken == windows)
        #expect(counts.windowsTakenTwice.isEmpty)
        #expect(counts.deltaColumnViolations == 0)
        let verified = try await run("ledger", "verify")
        #expect(verified.status == 0, "\(verified.errors)")
    }

    /// Applies until all is done, checks the result and stops the simulator.
    func finish() async throws {
        var last: Program.Result?
        for _ in 0..<10 where last?.status != 0 { last = try await apply() }
        #expect(last?.status == 0, "\(last?.errors ?? "")")
        try await expectOnceEach()
        try await end()
    }

    func end() async throws {
        try await simulator.stop()
        user.remove()
    }
}
