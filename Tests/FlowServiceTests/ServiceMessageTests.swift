import Testing

@testable import FlowService

@Suite("The service's own words")
struct ServiceMessageTests {
    @Test(
        "are found in bodies of every make",
        arguments: [
            (#"{"error_code":"403010","message":"Oauth token is missing."}"#, "Oauth token is missing."),
            (#"{"title":"Bad Request","detail":"windowStartTime is wrong"}"#, "windowStartTime is wrong"),
            (#"{"title":"Bad Request","status":400}"#, "Bad Request"), (#"{"errorMessage":"no flow"}"#, "no flow"),
            (#"{"error":"invalid_client","error_description":"wrong secret"}"#, "wrong secret"),
            (#"{"error":{"message":"nested"}}"#, "nested"), (#"{"errors":[{"message":"first"}]}"#, "first"),
            ("plain words", "plain words"), ("two\r\nlines\tand \u{1B}[31mred\u{202E}", "two lines and [31mred"),
            (
                "<html><head><style>p{}</style><title>502 Bad</title></head><p>try &amp; wait</p><script>x()</script></html>",
                "502 Bad try & wait"
            ),
            ("<", ""), ("<style>", ""), ("", ""), ("{}", ""), (#"{"message":5}"#, ""), ("[1,", ""),
        ])
    func found(body: String, words: String) {
        let summary = HTTPAnswer(status: 400, body: Array(body.utf8)).summary(Redaction([]))
        #expect(summary == (words.isEmpty ? "400" : "400: \(words)"))
    }

    @Test("are one line of at most 300 characters")
    func bounded() {
        let body = Array(String(repeating: "é\n", count: 5000).utf8)
        let summary = HTTPAnswer(status: 400, body: body).summary(Redaction([]))
        #expect(summary.count == 300)
        #expect(summary.hasSuffix("…"))
        #expect(!summary.contains("\n"))
    }

    @Test("lose every secret in them, the longer one first")
    func redacted() {
        let body = Array("token abcdef of abcd is wrong: abcdefabcd\u{301}".utf8)
        let summary = HTTPAnswer(status: 400, body: body).summary(Redaction(["abcd", "abcdef", "", "a"]))
        #expect(summary == "400: token [redacted] of [redacted] is wrong: [redacted][redacted]\u{301}")
    }

    @Test("brackets nested a hundred thousand deep are no crash")
    func deep() {
        let body = Array(String(repeating: "[", count: 100_000).utf8)
        #expect(HTTPAnswer(status: 400, body: body).summary(Redaction([])) == "400")
        #expect(JSONDocument(Array(String(repeating: #"{"a":"#, count: 100_000).utf8))["a"].members == nil)
    }
}
