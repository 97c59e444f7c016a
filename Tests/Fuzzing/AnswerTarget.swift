import FlowRuns

@testable import FlowService
@testable import HTTPFlowService

extension FuzzTarget {
    /// Parses answers of the service. The first lines are the status and the headers Retry-After, Date and Location;
    /// the rest is the body.
    static let answer = FuzzTarget(name: "Answer") { bytes in
        let answer = HTTPAnswer(head: bytes)
        let now = Timestamp(seconds: 1_767_225_600)
        let secret = "eyJhbGciOiJ"
        let redaction = Redaction([secret])
        let texts =
            [answer.summary(redaction), answer.accessError(redaction), answer.unavailability(redaction, now: now)]
        for text in texts {
            try expect(!text.contains(secret), "the secret is shown: \(text)")
            try expect(text == text.singleLine && text.count <= 400, "not a short line: \(text)")
        }
        if let wait = answer.wait(now: now) {
            try expect(wait >= .zero, "a wait of \(wait)")
            _ = (RetryPolicy().delay(after: 1, retryAfter: wait), now + wait)
        }
        var clock = ServiceClock()
        if let date = answer.serverTime {
            clock.record(date: date, sent: answer.sent, received: answer.received)
            if let time = clock.time(at: .now) { try expect(time.earliest <= time.latest, "a time of \(time)") }
        }
        try check(RunAnswer(answer, now: now, redaction: redaction), answer.status, secret)
        if let life = answer.accessToken?.life { try expect(life >= .zero, "a token's life of \(life)") }
        let document = JSONDocument(answer.body)
        for item in document.items ?? [] {
            if let run = RunDocument(document: item, listedAt: now).observed { try check(run) }
            if let flow = FlowDocument(document: item).flow { _ = flow.isDisabled }
            _ = RunSpecification(item)
        }
        if let link = document["_links"]["next"]["href"].text {
            let query = HTTPFlowService.continuation(link, without: ["property", "limit"])
            try expect(query.utf8.allSatisfy { (0x21..<0x7F).contains($0) && $0 != 0x23 }, "no query: \(query)")
            try expect(
                HTTPFlowService.continuation("?" + query, without: ["property", "limit"]) == query,
                "it changes: \(query)")
        }
    }

    private static func check(_ answer: RunAnswer, _ status: Int, _ secret: String) throws {
        switch answer {
        case .accepted(let run, let response):
            try expect((200..<300).contains(status) && !run.description.isEmpty, "\(status) is accepted")
            try expect(!response.contains(secret), "the secret is kept: \(response)")
        case .refused(_, let response):
            try expect(
                (400..<500).contains(status) && ![401, 408, 409, 429, 499].contains(status), "\(status) is refused")
            try expect(!response.contains(secret), "the secret is kept: \(response)")
        case .unauthorized: try expect(status == 401, "\(status) is unauthorized")
        case .throttled: try expect(status == 429, "\(status) is throttled")
        case .notSent: throw BrokenPromise(description: "\(status) was not sent")
        case .unknown(_, let response):
            try expect(response?.contains(secret) != true, "the secret is kept: \(response ?? "")")
        }
    }

    private static func check(_ run: ObservedRun) throws {
        let counts = run.counts
        for count in [counts.inputRecords, counts.outputRecords, counts.failedRecords, counts.inputFiles] {
            try expect(count ?? 0 >= 0, "a count of \(count ?? 0)")
        }
        if let window = run.window { try expect(window.start < window.end, "the window \(window)") }
        if let failure = run.end?.failure {
            try expect(failure.count <= 1_700, "a failure of \(failure.count) characters")
        }
    }
}

extension HTTPAnswer {
    fileprivate init(head bytes: [UInt8]) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 4, omittingEmptySubsequences: false)[...]
        func header() -> String? { lines.popFirst().flatMap { $0.isEmpty ? nil : String(decoding: $0, as: UTF8.self) } }
        let status = header().flatMap { Int($0) } ?? 200
        self.init(
            status: (200..<600).contains(status) ? status : 200,
            headers: .init(["Retry-After", "Date", "Location"].compactMap { name in header().map { (name, $0) } }),
            body: Array(lines.first ?? []))
    }
}
