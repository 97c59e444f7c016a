import FlowRuns
import FlowService
import HTTPFlowService
import NIOSSL
import Synchronization
import Testing

@Suite("Connection faults", .timeLimit(.minutes(1)))
struct ConnectionFaultTests {
    /// Long enough for a busy machine to connect before the timeout.
    private static let timeout = Duration.seconds(2)

    @Test("a refused connection is reported as not sent")
    func refusedConnection() async throws {
        try await serving({ _ in }) { service, server in
            await server.stop()
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(answer.kind == "notSent")
            #expect(answer.reason.contains("connection refused"))
        }
    }

    @Test("an unknown host name is reported as not sent")
    func unknownName() async throws {
        let answer = try await ask("https://name.invalid")
        #expect(answer.kind == "notSent")
        #expect(answer.reason.hasPrefix("cannot find the host name.invalid: check its spelling, and DNS ("))
    }

    @Test("https to a plain-text server is reported as not sent, and the token is not transmitted")
    func plainServer() async throws {
        try await serving({ connection in
            try await connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await connection.rest()
        }) { _, server in
            let answer = try await ask("https://127.0.0.1:\(server.port)")
            #expect(
                answer
                    == .notSent(
                        "TLS handshake failed (WRONG_VERSION_NUMBER): the server does not speak TLS on this port"))
            #expect(!server.transcripts.joined().contains("token"))
        }
    }

    @Test("an untrusted certificate is reported as not sent; a certificate in SSL_CERT_FILE is trusted")
    func certificates() async throws {
        let files = try TestCertificate()
        let server = try await ScriptedServer(tls: files.serverContext()) { connection in
            _ = await connection.request()
            try await connection.answer(201, Tutorial.items)
        }
        let untrusted = try await ask("https://127.0.0.1:\(server.port)")
        let trusted = try await ask("https://127.0.0.1:\(server.port)", environment: ["SSL_CERT_FILE": files.path])
        await server.stop()
        #expect(untrusted.kind == "notSent")
        #expect(untrusted.reason.hasPrefix("TLS handshake failed (CERTIFICATE_VERIFY_FAILED): "))
        #expect(untrusted.reason.contains("SSL_CERT_FILE") && !untrusted.reason.contains("/"))
        #expect(trusted.kind == "accepted")
    }

    @Test("a certificate for another name, and a connection closed during the handshake, have plain reasons")
    func handshakes() async throws {
        let files = try TestCertificate()
        let server = try await ScriptedServer(host: "127.0.0.2", tls: files.serverContext()) { await $0.rest() }
        let other = try await ask("https://127.0.0.2:\(server.port)", environment: ["SSL_CERT_FILE": files.path])
        await server.stop()
        #expect(other.reason.contains("TLS handshake failed: the server's certificate is for another host name"))
        let closing = try await ScriptedServer { _ in }
        let closed = try await ask("https://127.0.0.1:\(closing.port)")
        await closing.stop()
        #expect(closed.kind == "notSent")
        #expect(closed.reason.contains("closed the connection") || closed.reason.contains("reset"), "\(closed)")
    }

    @Test("timed out waiting for an answer leaves a doubt")
    func silent() async throws {
        let answer = try await answer({ await $0.rest() }, timeout: Self.timeout)
        #expect(answer == .unknown(reason: "timed out waiting for an answer", response: nil))
    }

    @Test("an incomplete response head leaves the request in doubt")
    func halfHead() async throws {
        let answer = try await answer(
            { connection in
                _ = await connection.request()
                try await connection.send("HTTP/1.1 201 Crea")
                await connection.rest()
            }, timeout: Self.timeout)
        #expect(answer.kind == "unknown")
    }

    @Test(
        "if the body of an answer times out, the status decides",
        arguments: [(201, "unknown"), (400, "refused"), (401, "unauthorized"), (429, "throttled"), (500, "unknown")])
    func halfBody(status: Int, kind: String) async throws {
        let answer = try await answer(
            { connection in
                _ = await connection.request()
                let body = Tutorial.items
                try await connection.send("HTTP/1.1 \(status) Status\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
                try await connection.send(String(body.prefix(9)))
                // A client that fails to time out receives the whole answer.
                try await Task.sleep(for: Self.timeout + .milliseconds(1500))
                try await connection.send(String(body.dropFirst(9)))
            }, timeout: Self.timeout)
        #expect(answer.kind == kind)
    }

    @Test(
        "if the body of an answer is cut off, the status decides",
        arguments: [(201, "unknown"), (400, "refused"), (401, "unauthorized"), (429, "throttled"), (500, "unknown")])
    func cutBody(status: Int, kind: String) async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("HTTP/1.1 \(status) Status\r\nContent-Length: 900\r\n\r\n\(Tutorial.items)")
        }
        #expect(answer.kind == kind)
    }

    @Test("a body longer than announced has no run ID, and its rest is not read as the next answer")
    func tooLong() async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                let answer = "HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n\(Tutorial.items)"
                try await connection.send(
                    connection.index == 0 ? answer : "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
            }
        }) { service, server in
            #expect(await service.createRun(Tutorial.tableRequest, sendBefore: .later).kind == "unknown")
            let second = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(["refused", "unknown", "notSent"].contains(second.kind))
            #expect(server.count("POST") <= 2)
        }
    }

    @Test("an incomplete chunked answer leaves the request in doubt")
    func cutChunks() async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{\"id\":")
        }
        #expect(answer.kind == "unknown")
    }

    @Test("an answer that is not HTTP leaves the request in doubt")
    func gibberish() async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("\u{1}\u{2} 201 hello\r\n\r\n")
        }
        #expect(answer.kind == "unknown")
    }

    @Test(
        "an error page of 10 MB is not read to its end",
        arguments: [(400, "refused"), (503, "unknown"), (201, "unknown")])
    func hugePage(status: Int, kind: String) async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("HTTP/1.1 \(status) Status\r\nContent-Length: 10485760\r\n\r\n")
            for _ in 0..<160 { try await connection.send(String(repeating: "x", count: 65_536)) }
        }
        #expect(answer.kind == kind)
        #expect(answer.reason.count <= 300)
        switch answer {
        case .refused(_, let response), .unknown(_, let response?): #expect(response.utf8.count <= 65_536)
        default: Issue.record("no response was kept")
        }
    }

    @Test("a request on a connection that closes immediately is unknown or not sent, and never retried")
    func closedAtOnce() async throws {
        try await serving({ _ in }) { service, server in
            for _ in 0..<20 {
                let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
                #expect(["unknown", "notSent"].contains(answer.kind))
            }
            #expect(server.count("POST") == 0)
        }
    }

    @Test("a request on a connection that closes after the head is unknown or not sent, and sent once")
    func closedAfterHead() async throws {
        try await serving({ _ = await $0.head() }) { service, server in
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(["unknown", "notSent"].contains(answer.kind))
            #expect(server.count("POST") == 1)
        }
    }

    @Test("a close after the body, by FIN or RST, leaves a doubt without a retry", arguments: [false, true])
    func closedAfterBody(byReset: Bool) async throws {
        try await serving({ connection in
            _ = await connection.request()
            if byReset { try await connection.reset() }
        }) { service, server in
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(answer.kind == "unknown")
            #expect(server.count("POST") == 1)
        }
    }

    @Test(
        "a request on a kept-alive connection that the server is closing is sent at most once",
        arguments: [false, true])
    func closedWhileIdle(byReset: Bool) async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                guard connection.index == 0 else {
                    try await connection.answer(201, Tutorial.items)
                    continue
                }
                try await connection.answer(201, Tutorial.items)
                // The second request arrives, but is not answered.
                _ = await connection.head()
                if byReset { try await connection.reset() }
                return
            }
        }) { service, server in
            #expect(await service.createRun(Tutorial.tableRequest, sendBefore: .later).kind == "accepted")
            let second = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(["unknown", "notSent"].contains(second.kind))
            #expect(server.count("POST") == 2)
            #expect(server.transcripts.count == 1)
        }
    }

    @Test("a server that closes each connection without announcing it never gets a request twice")
    func closedBehindTheBack() async throws {
        try await serving({ connection in
            _ = await connection.request()
            try await connection.answer(201, Tutorial.items)
        }) { service, server in
            for sent in 1...50 {
                let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
                #expect(["accepted", "unknown", "notSent"].contains(answer.kind))
                #expect(server.count("POST") <= sent)
            }
        }
    }

    @Test(
        "a proxy is requested to open a tunnel; if it refuses, the request was not sent",
        arguments: [(200, "accepted"), (407, "notSent"), (502, "notSent")])
    func proxy(status: Int, kind: String) async throws {
        let server = try await ScriptedServer { connection in
            _ = await connection.head()
            try await connection.send("HTTP/1.1 \(status) Tunnel\r\n\r\n")
            while await connection.request() != nil { try await connection.answer(201, Tutorial.items) }
        }
        let answer = try await ask(
            "http://flows.example/base", environment: ["HTTP_PROXY": "http://127.0.0.1:\(server.port)"],
            allowsInsecureHTTP: true)
        await server.stop()
        #expect(answer.kind == kind)
        #expect(server.transcripts.joined().hasPrefix("CONNECT flows.example:80 HTTP/1.1"))
        #expect(server.count("POST") == (status == 200 ? 1 : 0))
    }

    @Test("after the deadline no connection is made")
    func late() async throws {
        let time = TestTime()
        var options = HTTPFlowService.Options.quick
        options.time = time
        try await serving({ await $0.rest() }, options: options) { service, server in
            time.advance(.milliseconds(1001))
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: time.start + .seconds(1))
            #expect(answer == .notSent("its deadline for sending has passed"))
            #expect(server.transcripts.isEmpty)
        }
    }

    @Test(
        "a deadline that passes while connecting, or after the HTTP library has the body, prevents sending the body",
        arguments: [false, true], [Duration.milliseconds(500), .milliseconds(2500)])
    func lateAtTheGate(isRetrigger: Bool, deadline: Duration) async throws {
        // The clock is read at 0 s (before connecting), 1 s (log), 2 s (body requested) and 3 s (before writing).
        let time = TestTime(step: .seconds(1))
        var options = HTTPFlowService.Options.quick
        options.time = time
        try await serving({ await $0.rest() }, options: options) { service, server in
            let deadline = time.start + deadline
            let answer =
                isRetrigger
                ? await service.retrigger(Tutorial.run, sendBefore: deadline)
                : await service.createRun(Tutorial.tableRequest, sendBefore: deadline)
            #expect(answer == .notSent("its deadline for sending has passed"))
            #expect(!server.transcripts.joined().contains("{"))
        }
    }

    @Test("a cancelled request is not sent")
    func cancelled() async throws {
        try await serving({ await $0.rest() }) { service, server in
            let answer = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            }.value
            #expect(["notSent", "unknown"].contains(answer.kind))
            if answer.kind == "notSent" { #expect(!server.transcripts.joined().contains("flowId")) }
        }
    }

    private func ask(_ address: String, environment: [String: String] = [:], allowsInsecureHTTP: Bool = false)
        async throws -> RunAnswer
    {
        var options = HTTPFlowService.Options.quick
        options.allowsInsecureHTTP = allowsInsecureHTTP
        options.environment = environment
        options.requestTimeout = .seconds(2)
        let service = try HTTPFlowService(
            address: address, organization: "1234@AdobeOrg", sandbox: "prod", credentials: bearer, options: options,
            logger: .quiet)
        let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
        await service.close()
        return answer
    }
}
