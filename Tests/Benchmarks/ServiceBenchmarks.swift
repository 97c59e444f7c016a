import Applier
import AsyncHTTPClient
import FlowRuns
import FlowService
import Foundation
import HTTPFlowService
import Ledger
import Logging
import Manifests
import Planner
import SQLiteLedger

extension Benchmark {
    /// Benchmarks of requests to a server that answers immediately.
    static func service(_ samples: Samples) -> [Benchmark] {
        [
            Benchmark("apply, loopback", floor: "bare requests, or bare commits") {
                let count = max(parallel, samples.count / 100)
                let server = try await AnsweringServer()
                let plan = try plan(count)
                let body = RunRequest(flow: Samples.flow, window: window(0)).body(WireForm(), sentAt: nil)
                let requests = Array(repeating: BareClient.post(server.address + "/runs", body), count: count)
                return Measurement(
                    Work {
                        let outcome = try await with(server, samples) { context in
                            await Applier(context: context).apply(plan, staleness: .reduce)
                        }
                        guard outcome.flows.allSatisfy({ $0.remaining == 0 }) else { throw Floor.Failure() }
                    },
                    floor: Work { try await BareClient.send(requests, parallel: parallel) },
                    Work { try Floor.commit(count, to: samples.newFile()) })
            },
            Benchmark("refresh", floor: "bare requests, or bare commits") {
                let flows = flows(max(1, samples.count / 1000))
                let server = try await AnsweringServer(runsPerFlow: 20)
                let groups = flows.map(\.id.description).chunks(of: SeveralValues.maxIDs)
                let paths =
                    groups.map { "/flows?property=id==\($0.joined(separator: ","))&limit=100" }
                    + flows.map { "/runs?property=flowId==\($0.id)&orderby=-createdAt&limit=100" }
                let requests = paths.map { HTTPClientRequest(url: server.address + $0) }
                return Measurement(
                    Work {
                        let results = try await with(server, samples) { context in
                            await Refresh(context: context, wireForm: WireForm()).run(flows)
                        }
                        for result in results { guard case .read = result.end else { throw Floor.Failure() } }
                    },
                    floor: Work { try await BareClient.send(requests, parallel: parallel) },
                    Work { try Floor.commit(flows.count, to: samples.newFile()) })
            },
        ]
    }

    private static let parallel = 8

    /// Calls `body` with a new ledger and an existing journal, so that the ledger is trusted.
    private static func with<Result>(
        _ server: AnsweringServer, _ samples: Samples, _ body: (ApplierContext) async throws -> Result
    ) async throws -> Result {
        var options = HTTPFlowService.Options(version: "1.0.0")
        options.requestsPerSecond = 1_000_000
        let service = try HTTPFlowService(
            address: server.address, organization: "1234@AdobeOrg", sandbox: "prod", credentials: .none,
            options: options, logger: Logger(label: "benchmarks") { _ in SwiftLogNoOpLogHandler() })
        let state = samples.folder.appending(path: UUID().uuidString).path
        let journal = FileJournal(stateFolder: state, target: Samples.target)
        try journal.create()
        let store = try samples.newLedger(samples.newFile())
        var limits = Limits()
        limits.parallelFlows = parallel
        let result = try await body(ApplierContext(store: store, journal: journal, service: service, limits: limits))
        await service.close()
        await store.close()
        return result
    }

    private static func plan(_ count: Int) throws -> Plan {
        let address = Target.LedgerAddress.sqlite(path: "ledger.sqlite")
        let target = Target(
            name: Samples.target, service: .embedded, organization: "1234@AdobeOrg", sandbox: "prod", ledger: address,
            place: place)
        let planner = Planner(asOf: Samples.now)
        let plans = flows(parallel, windows: count / parallel).map {
            planner.plan($0, record: FlowRecord(id: $0.id), runs: [])
        }
        return Plan(asOf: Samples.now, target: target, manifests: [], flows: plans)
    }

    private static let place = Place(file: "flows.yaml", line: 1, column: 1)

    private static func flows(_ count: Int, windows: Int = 0) -> [FlowDeclaration] {
        (1...count).compactMap { number in
            let digits = String(number, radix: 16)
            let text = "3abea21c-7e36-4be1-bec1-" + String(repeating: "0", count: 12 - digits.count) + digits
            return FlowID(text).map { id in
                FlowDeclaration(
                    id: id, manifest: "benchmarks", target: Samples.target, source: .file,
                    windows: (0..<windows).map { DeclaredWindow(window: window($0), line: 1, column: 1) }, place: place)
            }
        }
    }

    private static func window(_ number: Int) -> Window {
        Window(startSeconds: Int64(number) * 600, endSeconds: Int64(number) * 600 + 600)!
    }
}
