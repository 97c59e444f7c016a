import FlowRuns
import Foundation
import Testing

@testable import FlowServiceSimulator

@Suite("The state file")
struct StateFileTests {
    /// Calls `body` with a path in a temporary folder.
    private func withFile(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "simulator-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.appending(path: "state.jsonl").path)
    }

    private func configuration(_ path: String) -> FlowServiceSimulator.Configuration {
        FlowServiceSimulator.Configuration(statePath: path, now: { TutorialSample.createdAt })
    }

    private func append(_ text: String, to path: String) throws {
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    @Test("a restart keeps flows, runs, delta columns and counts")
    func restart() async throws {
        try await withFile { path in
            let before = try await withSimulator(configuration(path)) { simulator async throws in
                #expect(try await simulator.post(TutorialSample.request).status == 201)
                let integers = TutorialSample.body(
                    flow: TutorialSample.fileFlowID, start: "1651584991000", end: "1651588591")
                #expect(try await simulator.post(integers).status == 201)
                let window = try #require(Window(startSeconds: 1, endSeconds: 2))
                let column = DeltaColumn(name: "D", dateFormat: "YYYY", timezone: "UTC")
                try await simulator.add(
                    flows: [
                        SimulatedFlow(id: try #require(FlowID("5abea21c-7e36-4be1-bec1-d3bad0e3e0de")), source: .table)
                    ],
                    runs: [
                        ForeignRun(
                            flow: TutorialSample.fileFlowID, window: nil, createdAt: Timestamp(milliseconds: 5),
                            outcome: .partial),
                        ForeignRun(
                            flow: TutorialSample.flowID, window: window, createdAt: Timestamp(milliseconds: 6),
                            deltaColumn: column),
                    ])
                return try await (simulator.call("GET", "/runs").body, simulator.call("GET", "/flows").body)
            }
            try await withSimulator(configuration(path)) { simulator async throws in
                #expect(try await simulator.call("GET", "/runs").body == before.0)
                #expect(try await simulator.call("GET", "/flows").body == before.1)
                #expect(try await simulator.post(TutorialSample.body(start: "7", column: "EMAIL")).status == 400)
                #expect(try await simulator.statistics().runsTaken == 2)
            }
        }
    }

    @Test("two servers with one file share their runs at once, and each request creates a run")
    func twoServers() async throws {
        try await withFile { path in
            try await withSimulator(configuration(path)) { one in
                try await withSimulator(configuration(path)) { two in
                    #expect(try await one.post(TutorialSample.request).status == 201)
                    #expect(try await two.post(TutorialSample.body(start: "7", column: "EMAIL")).status == 400)
                    try await withThrowingTaskGroup(of: Int.self) { group in
                        for start in 1...60 {
                            group.addTask {
                                let body = TutorialSample.body(flow: TutorialSample.fileFlowID, start: "\(start)")
                                return try await (start % 2 == 0 ? one : two).post(body).status
                            }
                        }
                        for try await status in group { #expect(status == 201) }
                    }
                    let (first, second) = try await (one.statistics(), two.statistics())
                    #expect(first.runsTaken == 61)
                    #expect(second.runsTaken == 61)
                    #expect(first.windowsTakenTwice.isEmpty)
                    let runs = try json(try await one.call("GET", "/runs").body)["items"]?.array ?? []
                    #expect(Set(runs.compactMap { $0["id"]?.string }).count == 61)
                }
            }
        }
    }

    @Test("a line that was left incomplete by a crash is removed, and later ones are kept", arguments: [true, false])
    func tornLine(whileRunning: Bool) async throws {
        try await withFile { path in
            try await withSimulator(configuration(path)) { simulator async throws in
                #expect(try await simulator.post(TutorialSample.request).status == 201)
                guard whileRunning else { return }
                try append(#"{"run":{"id":"half"#, to: path)
                #expect(try await simulator.post(TutorialSample.body(start: "7")).status == 201)
            }
            if !whileRunning { try append(#"{"run":{"id":"half"#, to: path) }
            try await withSimulator(configuration(path)) { simulator async throws in
                #expect(try await simulator.statistics().runsTaken == (whileRunning ? 2 : 1))
                #expect(try await simulator.post(TutorialSample.body(start: "8")).status == 201)
            }
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(!text.contains("half"))
            #expect(text.hasSuffix("\n"))
        }
    }

    @Test(
        "a file that is damaged or not a state file is rejected and not modified",
        arguments: ["hello\n", "hello", StateFileLine.header + "\n{\"run\":{}}\n", StateFileLine.header + "\nx\n"])
    func damaged(text: String) async throws {
        try await withFile { path in
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            await #expect(throws: SimulatorError.self) {
                _ = try await FlowServiceSimulator.start(configuration(path))
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }

    @Test("a header that was left incomplete by a crash is rewritten")
    func tornHeader() async throws {
        try await withFile { path in
            try String(StateFileLine.header.prefix(9)).write(toFile: path, atomically: true, encoding: .utf8)
            try await withSimulator(configuration(path)) { simulator async throws in
                #expect(try await simulator.post(TutorialSample.request).status == 201)
            }
        }
    }

    @Test("a path that cannot be opened is an error with the path")
    func unreachable() async throws {
        let error = await #expect(throws: SimulatorError.self) {
            _ = try await FlowServiceSimulator.start(configuration("/nowhere/state.jsonl"))
        }
        #expect(error?.description.contains("/nowhere/state.jsonl") == true)
    }

    @Test("if the state file is removed while the server runs, requests are answered 503")
    func removed() async throws {
        try await withFile { path in
            try await withSimulator(configuration(path)) { simulator async throws in
                try FileManager.default.removeItem(atPath: path)
                #expect(try await simulator.post(TutorialSample.request).status == 503)
            }
        }
    }
}
