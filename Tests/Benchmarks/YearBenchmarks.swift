import FlowRuns
import Foundation
import Ledger
import PostgresLedger
import SQLiteLedger
import TestSupport

extension Benchmark {
    /// Benchmarks of commands with a ledger of 200 flows with daily windows after three years.
    static func years(_ samples: Samples) -> [Benchmark] {
        let years = Years(samples)
        let all = years.count(200)
        return [50, 100, 200].map { flows in
            Benchmark("years, copy of \(flows) flows, Git", floor: "the same copy into SQLite") {
                _ = try await years.ledger(years.count(flows))
                return Measurement(
                    Work { try await years.copy(years.count(flows), to: "git:\(years.newRepository().path)") },
                    floor: Work { try await years.copy(years.count(flows), to: "sqlite:\(samples.newFile())") })
            }
        } + [
            Benchmark("years, copy, PostgreSQL", floor: "the same copy into SQLite") {
                guard PostgresServer.isInstalled else { return nil }
                let server = try await PostgresServer.shared()
                return Measurement(
                    Work { try await years.copy(all, to: try await server.makeDatabaseURL()) },
                    floor: Work { try await years.copy(all, to: "sqlite:\(samples.newFile())") })
            },
            Benchmark("years, plan, Git", floor: "the same plan from SQLite") {
                let (git, sqlite) = (try await years.filled(all), try await years.ledger(all))
                try years.run(["plan", years.manifests(all, "git:\(git.path)")])
                return Measurement(
                    Work { try years.run(["plan", years.manifests(all, "git:\(git.path)")]) },
                    floor: Work { try years.run(["plan", years.manifests(all, "sqlite:\(sqlite)")]) })
            },
            Benchmark("years, plan, Git, new machine", floor: "git fetches the refs") {
                let git = try await years.filled(all)
                return Measurement(
                    Work {
                        try years.run(["plan", years.manifests(all, "git:\(git.path)")], machine: UUID().uuidString)
                    },
                    floor: Work {
                        let copy = samples.newFile()
                        let fetch = "fetch --quiet --depth=1 '\(git.path)' '+refs/sluice/*:refs/sluice/*'"
                        try Program("sh", "-c", "git init --quiet --bare '\(copy)' && git --git-dir='\(copy)' \(fetch)")
                            .run()
                    })
            },
            Benchmark("years, apply, Git, new machine", floor: "the same requests with an empty ledger") {
                let git = try await years.filled(all)
                return Measurement(
                    Work { try await years.apply(all, after: 0..<years.days, in: git) },
                    floor: Work {
                        try await years.apply(all, after: years.days..<years.days, in: years.newRepository())
                    })
            },
        ]
    }
}

/// A ledger with daily windows of many flows, all of which succeeded.
private final class Years {
    private static let first: Int64 = 1_609_459_200
    let samples: Samples
    let days: Int
    private var ledgers: [Int: String] = [:]
    private var repositories: [GitRepository] = []
    private var repository: GitRepository?
    private var answering: AnsweringServer?

    init(_ samples: Samples) {
        self.samples = samples
        days = samples.count < 100_000 ? 40 : 1095
    }

    /// Scales a number of flows.
    func count(_ flows: Int) -> Int { max(1, flows * samples.count / 1_000_000) }

    /// Creates a repository that exists until the end.
    func newRepository() throws -> GitRepository {
        let new = try GitRepository()
        repositories.append(new)
        return new
    }

    private func server() async throws -> AnsweringServer {
        if let answering { return answering }
        let server = try await AnsweringServer()
        answering = server
        return server
    }

    /// Returns the path of an SQLite ledger.
    func ledger(_ flows: Int) async throws -> String {
        if let known = ledgers[flows] { return known }
        let path = samples.newFile()
        let target = TargetIdentity(
            service: try await server().address, organization: "1234@AdobeOrg", sandbox: "prod")
        let store = try SQLiteLedger.open(path: path, targets: [target.description], mode: .readWrite)
        let days = days
        let new = (0..<flows).map { number in
            let flow = Self.flow(number)
            let record = FlowRecord(id: flow, revision: Revision(number: days, token: "token"))
            return NewFlow(record: record, expecting: Revision()) {
                var entries = (0..<days).map { day in
                    Samples.entry(
                        of: flow, number * days + day, start: Self.first + Int64(day) * 86_400, seconds: 86_400)
                }
                return { () throws(LedgerError) in
                    defer { entries = [] }
                    return entries
                }
            }
        }
        try await store.add(new)
        await store.close()
        ledgers[flows] = path
        return path
    }

    private static func flow(_ number: Int) -> FlowID {
        let digits = String(number)
        return FlowID("3abea21c-7e36-4be1-bec1-" + String(repeating: "0", count: 12 - digits.count) + digits)
            ?? Samples.flow
    }

    /// Writes manifests that declare the recorded days, or some days.
    func manifests(_ flows: Int, _ ledger: String, days declared: Range<Int>? = nil) throws -> String {
        let declared = declared ?? 0..<days
        let from = Timestamp(seconds: Self.first + Int64(declared.lowerBound) * 86_400)
        let until = Timestamp(seconds: Self.first + Int64(declared.upperBound) * 86_400)
        var text = """
            apiVersion: sluice/v1
            kind: Target
            metadata: {name: years}
            spec:
              service: \(answering?.address ?? "embedded")
              organization: 1234@AdobeOrg
              sandbox: prod
              ledger: "\(ledger)"
              limits: {requestsPerSecond: 100, maxRunsPerApply: 10000}
            ---
            apiVersion: sluice/v1
            kind: RunManifest
            metadata: {name: years, owner: data-platform}
            spec:
              target: years
              flows:

            """
        for number in 0..<flows {
            text += """
                    - flowId: \(Self.flow(number))
                      source: file
                      series: [{every: P1D, from: \(from), until: \(until)}]

                """
        }
        let file = samples.folder.appending(path: "years-\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: file)
        return file.path
    }

    func copy(_ flows: Int, to address: String) async throws {
        let source = try await ledger(flows)
        try run(["ledger", "copy", manifests(flows, "sqlite:\(source)"), "--to", address])
    }

    /// Returns a repository with the ledger of all flows.
    func filled(_ flows: Int) async throws -> GitRepository {
        if let repository { return repository }
        let new = try newRepository()
        try await copy(flows, to: "git:\(new.path)")
        repository = new
        return new
    }

    /// Requests the windows of three more days of each flow, with a copy of a ledger of the days before.
    func apply(_ flows: Int, after days: Range<Int>, in repository: GitRepository) async throws {
        let copy = samples.newFile()
        try FileManager.default.copyItem(atPath: repository.path, toPath: copy)
        _ = try await server()
        let manifests = try manifests(flows, "git:\(copy)", days: days.lowerBound..<days.upperBound + 3)
        try run(["apply", manifests, "--yes"], machine: UUID().uuidString)
    }

    func run(_ arguments: [String], machine: String = "machine") throws {
        let home = samples.folder.appending(path: machine).path
        var program = Program(beside: "sluice", arguments: arguments)
        program.environment = ["HOME": home, "SLUICE_ACCESS_TOKEN": "token", "SLUICE_API_KEY": "key"]
        try program.run()
    }
}
