import Foundation
import Testing

@testable import FlowService
@testable import HTTPFlowService

@Suite("Messages of the service")
struct ServiceMessageTests {
    @Test(
        "the message is found in bodies of all formats",
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

    @Test("a message is one line of at most 300 characters")
    func bounded() {
        let body = Array(String(repeating: "é\n", count: 5000).utf8)
        let summary = HTTPAnswer(status: 400, body: body).summary(Redaction([]))
        #expect(summary.count == 300)
        #expect(summary.hasSuffix("…"))
        #expect(!summary.contains("\n"))
    }

    @Test("all secrets in a message are redacted, longer ones first")
    func redacted() {
        let body = Array("token abcdef of abcd is wrong: abcdefabcd\u{301}".utf8)
        let summary = HTTPAnswer(status: 400, body: body).summary(Redaction(["abcd", "abcdef", "", "a"]))
        #expect(summary == "400: token [redacted] of [redacted] is wrong: [redacted][redacted]\u{301}")
    }

    @Test(
        "a secret is redacted in all encodings",
        arguments: [
            #"a/b+c d"e=f"#, #"a\/b+c d\"e=f"#, #"a\u002fb\u002Bc d\u0022e=f"#, #"a\\\/b+c d\\\"e=f"#,
            "a%2Fb%2Bc%20d%22e%3Df", "a%2fb+c%20d%22e=f", "YS9iK2MgZCJlPW", "hL2IrYyBkImU9Z", "EvYitjIGQiZT1m",
        ])
    func redactedForms(echo: String) {
        let text = Redaction([#"a/b+c d"e=f"#])(#"{"token":"\#(echo)","ok":"ab"}"#)
        #expect(text == #"{"token":"[redacted]","ok":"ab"}"#)
    }

    @Test("a secret within base64 is redacted at any offset and in either alphabet")
    func redactedBase64() {
        let secret = "secret?>~token"
        for prefix in ["", "x", "id:", "Bearer "] {
            let encoded = Data("\(prefix)\(secret)\u{7F}".utf8).base64EncodedString()
            for text in [encoded, encoded.replacing("+", with: "-").replacing("/", with: "_")] {
                let redacted = Redaction([secret])(text)
                #expect(redacted.contains("[redacted]"))
                // Only characters that also encode neighbouring bytes may remain.
                #expect(redacted.count <= "[redacted]".count + text.count - secret.count * 4 / 3 + 2, "\(redacted)")
            }
        }
    }

    @Test("brackets nested a hundred thousand deep do not crash")
    func deep() {
        let body = Array(String(repeating: "[", count: 100_000).utf8)
        #expect(HTTPAnswer(status: 400, body: body).summary(Redaction([])) == "400")
        #expect(JSONDocument(Array(String(repeating: #"{"a":"#, count: 100_000).utf8))["a"].members == nil)
    }
}
