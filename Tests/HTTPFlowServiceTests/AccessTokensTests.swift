import FlowRuns
import Logging
import Synchronization
import Testing

@testable import FlowService
@testable import HTTPFlowService

@Suite("OAuth server-to-server sign-in", .timeLimit(.minutes(1)))
struct AccessTokensTests {
    @Test("fifty parallel requests fetch one token")
    func shared() async throws {
        let servers = try await SignInServers()
        let kinds = await withTaskGroup(of: String.self) { group in
            for _ in 0..<50 {
                group.addTask { await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later).kind }
            }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        await servers.stop()
        #expect(kinds == Array(repeating: "accepted", count: 50))
        #expect(servers.signIn.count("POST") == 1)
        #expect(servers.flows.count("POST") == 50)
    }

    @Test("the token request matches the authentication guide")
    func form() async throws {
        let servers = try await SignInServers()
        _ = await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later)
        await servers.stop()
        let sent = servers.signIn.transcripts.joined()
        #expect(
            sent.hasPrefix(
                "POST /ims/token/v3 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nAccept-Encoding: identity\r\n"
            ))
        #expect(
            sent.hasSuffix(
                "\r\n\r\ngrant_type=client_credentials&client_id=client-id-1&client_secret=p%26ss%2Bw%C3%B6rd%20%3D&scope=openid%2CAdobeID"
            ))
        #expect(
            servers.flows.transcripts.joined().contains(
                "Authorization: Bearer issued-token-1\r\nx-api-key: client-id-1"))
    }

    @Test("a token is renewed when less than five minutes or a tenth of its lifetime are left")
    func renewedInTime() async throws {
        let time = TestTime()
        let servers = try await SignInServers(expiresIn: "86399", time: time)
        for (passed, fetched) in [(0, 1), (86_098, 1), (1, 2), (1, 2)] {
            time.advance(.seconds(passed))
            _ = await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(servers.signIn.count("POST") == fetched)
        }
        await servers.stop()
    }

    @Test("after a 401, the token is renewed once and the request is retried")
    func renewedAfterRefusal() async throws {
        let servers = try await SignInServers(validToken: "issued-token-2")
        let answer = await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later)
        let runs = try? await servers.service.runs(of: Tutorial.flow)
        await servers.stop()
        #expect(answer.kind == "accepted")
        #expect(runs?.count == 1)
        #expect(servers.signIn.count("POST") == 2)
        #expect(servers.flows.count("POST") == 2)
    }

    @Test("many requests with the same expired token renew it once")
    func renewedOnceForAll() async throws {
        let servers = try await SignInServers(validToken: "issued-token-2")
        await withDiscardingTaskGroup { group in
            for _ in 0..<20 {
                group.addTask { #expect(await servers.service.createRun("{}", sendBefore: .later).kind == "accepted") }
            }
        }
        await servers.stop()
        #expect(servers.signIn.count("POST") == 2)
    }

    @Test("a second 401 is final, for requests and for reads")
    func refusedTwice() async throws {
        let servers = try await SignInServers(validToken: "none")
        let answer = await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later)
        #expect(answer == .unauthorized(reason: accessError("401: token [redacted] is not valid")))
        #expect(servers.flows.count("POST") == 2)
        await #expect(
            throws: FlowServiceError.unauthorized(accessError("401: token [redacted] is not valid"))
        ) {
            try await servers.service.flows()
        }
        await servers.stop()
    }

    @Test("a wrong secret is reported with the service's message, and no request is sent")
    func wrongSecret() async throws {
        let servers = try await SignInServers(
            signInAnswer: (401, #"{"error":"invalid_client","error_description":"invalid client_secret parameter"}"#))
        let answer = await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later)
        await #expect(throws: FlowServiceError.self) { try await servers.service.run(Tutorial.run) }
        await servers.stop()
        #expect(
            answer
                == .unauthorized(
                    reason:
                        "the client credentials were rejected: the token address answered 401: invalid client_secret parameter"
                ))
        #expect(servers.flows.transcripts.isEmpty)
    }

    @Test(
        "a temporarily failing token endpoint is retried, then no request is sent",
        arguments: [(503, "sorry"), (200, "{}")])
    func unavailable(status: Int, body: String) async throws {
        let servers = try await SignInServers(signInAnswer: (status, body))
        let answer = await servers.service.createRun(Tutorial.tableRequest, sendBefore: .later)
        await servers.stop()
        #expect(answer.kind == "notSent")
        #expect(servers.signIn.count("POST") == (status == 503 ? 3 : 1))
        #expect(servers.flows.transcripts.isEmpty)
    }

    @Test("logs, answers and errors contain no secret, even if the service echoes one")
    func secrecy() async throws {
        let records = LogRecords()
        var logger = Logger(label: "test") { _ in records }
        logger.logLevel = .trace
        for (signInAnswer, validToken) in [
            (nil, "issued-token-1"), (nil, "none"), ((400, Self.echo), ""), ((200, Self.echo), ""),
        ] as [((Int, String)?, String)] {
            let servers = try await SignInServers(validToken: validToken, signInAnswer: signInAnswer, logger: logger)
            var texts = ["\(await servers.service.createRun(Self.echo, sendBefore: .later))"]
            do { texts.append("\(try await servers.service.runs(of: Tutorial.flow))") } catch {
                texts.append("\(error)")
            }
            await servers.stop()
            expectNoSecret(in: texts.joined(separator: "\n"))
        }
        let logged = records.text
        #expect(logged.contains("/runs: 401"))
        #expect(logged.contains("/ims/token/v3: 400"))
        expectNoSecret(in: logged)
    }

    private func expectNoSecret(in text: String) {
        for secret in ["issued-token", "p&ss+wörd", "p%26ss", "client-id-1"] {
            #expect(!text.contains(secret), "\(text)")
        }
    }

    private static let echo = """
        {"message":"client client-id-1 with p&ss+wörd = and p%26ss%2Bw%C3%B6rd%20%3D","token":"issued-token-1"}
        """
}

/// A sign-in server that issues `issued-token-1`, `-2`, …, and a Flow Service that may accept only one of these tokens.
private struct SignInServers {
    let signIn: ScriptedServer
    let flows: ScriptedServer
    let service: HTTPFlowService

    init(
        expiresIn: String = "86399", validToken: String? = nil, signInAnswer: (Int, String)? = nil,
        logger: Logger = .quiet, time: any TimeSource = TestTime()
    ) async throws {
        let issued = Mutex(0)
        signIn = try await ScriptedServer { connection in
            while await connection.request() != nil {
                let number = issued.withLock {
                    $0 += 1; return $0
                }
                let token =
                    #"{"access_token":"issued-token-\#(number)","token_type":"bearer","expires_in":\#(expiresIn)}"#
                try await connection.answer(signInAnswer?.0 ?? 200, signInAnswer?.1 ?? token)
            }
        }
        flows = try await ScriptedServer { connection in
            while let request = await connection.request() {
                let bearer =
                    request.head.split(separator: "\r\n").first { $0.hasPrefix("Authorization: Bearer ") } ?? ""
                let token = bearer.dropFirst("Authorization: Bearer ".count)
                if let validToken, token != validToken {
                    try await connection.answer(401, #"{"message":"token \#(token) is not valid"}"#)
                } else {
                    try await connection.answer(201, Tutorial.items)
                }
            }
        }
        let client = ClientCredentials(
            id: "client-id-1", secret: "p&ss+wörd =", scopes: "openid, AdobeID",
            tokenAddress: "http://127.0.0.1:\(signIn.port)/ims/token/v3")
        var options = HTTPFlowService.Options.quick
        options.time = time
        service = try HTTPFlowService(
            address: "http://127.0.0.1:\(flows.port)", organization: "1234@AdobeOrg", sandbox: "prod",
            credentials: .clientCredentials(client), options: options, logger: logger)
    }

    func stop() async {
        await service.close()
        await signIn.stop()
        await flows.stop()
    }
}

final class LogRecords: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}
