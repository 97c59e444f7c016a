import FlowRuns
import FlowService
import HTTPFlowService
import Testing

@Suite("The bytes of a request")
struct RequestBytesTests {
    @Test(
        "the tutorial's two requests, golden",
        arguments: [("table-request.http", Tutorial.tableRequest), ("file-request.http", Tutorial.fileRequest)])
    func tutorial(name: String, body: String) async throws {
        let sent = try await bytes { service in
            #expect(await service.createRun(body, sendBefore: .later).kind == "accepted")
        }
        try expectGolden(sent, name)
    }

    @Test("a re-trigger and a read, golden")
    func others() async throws {
        let retrigger = try await bytes { _ = await $0.retrigger(Tutorial.run, sendBefore: .later) }
        try expectGolden(retrigger, "retrigger-request.http")
        let read = try await bytes { _ = try? await $0.runs(of: Tutorial.flow) }
        try expectGolden(read, "runs-request.http")
    }

    @Test("a run ID is percent-encoded in the path")
    func pathEncoding() async throws {
        let run = try #require(RunID("../flows?a=b#c d/é"))
        let sent = try await bytes { _ = await $0.retrigger(run, sendBefore: .later) }
        #expect(
            sent.hasPrefix("POST /flowservice/runs/..%2Fflows%3Fa%3Db%23c%20d%2F%C3%A9/action?op=re-trigger HTTP/1.1"))
    }

    /// Returns the bytes received by the server, with normalised port and line ends.
    private func bytes(_ ask: @Sendable (HTTPFlowService) async -> Void) async throws -> String {
        try await serving({ connection in
            while await connection.request() != nil { try await connection.answer(200, Tutorial.items) }
        }) { service, server in
            await ask(service)
            return server.transcripts.joined().replacing(":\(server.port)", with: ":PORT").replacing("\r\n", with: "\n")
                + "\n"
        }
    }
}
