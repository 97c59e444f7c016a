import FlowRuns
import FlowService
import HTTPFlowService
import Testing

@Suite("Answers to POST /runs")
struct RunAnswerTests {
    @Test(
        "a run ID is found in all three documented shapes",
        arguments: [Tutorial.wholeRun, Tutorial.items, Tutorial.idAndEtag], [200, 201, 202])
    func accepted(body: String, status: Int) async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.answer(status, body)
        }
        #expect(answer == .accepted(Tutorial.run, response: body))
    }

    @Test(
        "a success without a readable run ID is unknown",
        arguments: [
            "", "{}", "[]", "null", "Created", #"{"items":[]}"#, #"{"id":""}"#, #"{"id":7}"#,
            #"{"items":[{"etag":"1"}]}"#,
            #"{"id":"3fb0418e"#, "<html>ok</html>",
        ])
    func unreadable(body: String) async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.answer(201, body)
        }
        #expect(answer.kind == "unknown")
    }

    @Test("an answer of 204 without a body has no run ID", .timeLimit(.minutes(1)))
    func noContent() async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("HTTP/1.1 204 No Content\r\n\r\n")
            await connection.rest()
        }
        #expect(answer.kind == "unknown")
    }

    @Test("an informational 100 Continue is ignored")
    func informational() async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            try await connection.answer(201, Tutorial.items)
        }
        #expect(answer.kind == "accepted")
    }

    @Test(
        "other 4xx are refusals with the service's message",
        arguments: [400, 402, 403, 404, 405, 410, 413, 422, 451])
    func refused(status: Int) async throws {
        let body = #"{"type":"about:blank","title":"Bad","message":"the delta column\ncannot change"}"#
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.answer(status, body)
        }
        #expect(answer == .refused(reason: "\(status): the delta column cannot change", response: body))
    }

    @Test(
        "a redirect leaves a doubt, is not followed, and its location is shown",
        arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(status, headers: ["Location: http://127.0.0.1/elsewhere"])
            }
        }) { service, server in
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(answer.reason == "\(status): moved to http://127.0.0.1/elsewhere")
            #expect(answer.kind == "unknown")
            #expect(server.count("POST") == 1)
        }
    }

    @Test("408, 409, 499 and every 5xx leave a doubt", arguments: [408, 409, 499, 500, 501, 502, 503, 504, 520, 599])
    func doubtful(status: Int) async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(status, #"{"message":"sorry"}"#, headers: ["Retry-After: 0"])
            }
        }) { service, server in
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(answer == .unknown(reason: "\(status): sorry", response: #"{"message":"sorry"}"#))
            #expect(server.count("POST") == 1)
        }
    }

    @Test(
        "a request answered 429 was not accepted; Retry-After is seconds, a date, or absent",
        arguments: [
            ([], nil), (["Retry-After: 7"], 7), (["Retry-After: 0"], 0), (["Retry-After: -5"], nil),
            (["Retry-After: soon"], nil), (["Retry-After: 99999999999999999999"], 2_147_483_648),
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"], 30),
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:00:00 GMT"], 0),
            (["Retry-After: Thu, 01 Jan 1970 00:00:09 GMT"], 9),
            (["Retry-After: Sun, 31 Feb 1994 08:00:00 GMT"], nil),
            (["Date: Sunday, 06-Nov-94 08:49:37 GMT", "Retry-After: Sunday, 06-Nov-94 08:49:43 GMT"], 6),
            (["Date: Sun Nov  6 08:49:37 1994", "Retry-After: Sun Nov  6 08:49:43 1994"], 6),
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun Nov  6 08:49:43 1994"], 6),
        ] as [([String], Int?)])
    func throttled(headers: [String], seconds: Int?) async throws {
        let answer = try await answer { connection in
            _ = await connection.request()
            try await connection.answer(429, headers: headers)
        }
        #expect(answer == .throttled(retryAfter: seconds.map { .seconds($0) }))
    }

    @Test("a 401 with a token that cannot be renewed is not retried")
    func unauthorized() async throws {
        try await serving({ connection in
            while await connection.request() != nil {
                try await connection.answer(401, #"{"error_code":"401013","message":"Oauth token is not valid"}"#)
            }
        }) { service, server in
            let answer = await service.createRun(Tutorial.tableRequest, sendBefore: .later)
            #expect(answer == .unauthorized(reason: accessError("401: Oauth token is not valid")))
            #expect(server.count("POST") == 1)
        }
    }

    @Test(
        "the status of an answer that precedes the request body decides",
        arguments: [(401, "unauthorized"), (413, "refused")])
    func early(status: Int, kind: String) async throws {
        let answer = try await answer { connection in
            _ = await connection.head()
            try await connection.answer(status, headers: ["Connection: close"])
            await connection.rest()
        }
        #expect(answer.kind == kind)
    }

    @Test("an answer to a re-trigger is interpreted like one to a run request")
    func retrigger() async throws {
        for (status, body, kind) in [
            (200, Tutorial.idAndEtag, "accepted"), (400, "{}", "refused"), (500, "", "unknown"), (429, "", "throttled"),
        ] {
            try await serving({ connection in
                _ = await connection.request()
                try await connection.answer(status, body)
            }) { service, _ in
                let answer = await service.retrigger(Tutorial.run, sendBefore: .later)
                #expect(answer.kind == kind)
            }
        }
    }
}
