import FlowRuns
import FlowService

extension HTTPAnswer {
    /// Returns the status and the service's message on one line of at most 300 characters, without secrets.
    func summary(_ redaction: Redaction) -> String {
        let location = (300..<400).contains(status) ? location.map { "moved to \($0)" } : nil
        let words = redaction(location ?? message ?? "").singleLine
        return words.isEmpty ? "\(status)" : "\(status): \(words)".bounded(to: 300)
    }

    /// Returns the reason why access was denied, and what to do: `the service rejected the access token (401: Oauth
    /// token is not valid): it has expired or …`
    func accessError(_ redaction: Redaction) -> String {
        let summary = summary(redaction)
        guard status == 401 else { return "the service denied access (\(summary))" }
        return "the service rejected the access token (\(summary)): it has expired or belongs to another client; fetch "
            + "a new one for SLUICE_ACCESS_TOKEN, or set SLUICE_CLIENT_ID, SLUICE_CLIENT_SECRET and SLUICE_SCOPES"
    }

    /// Returns the reason for a later retry: `answered 503: maintenance; retry after 3600 s`.
    ///
    /// - Parameter now: the time to use in place of a missing `Date` when `Retry-After` is a date.
    func unavailability(_ redaction: Redaction, now: Timestamp) -> String {
        let what = status == 429 ? "rate limited (429)" : "answered \(summary(redaction))"
        return what.asking(toWait: wait(now: now))
    }

    /// The human-readable message in the body. Error bodies vary: several JSON shapes, HTML or plain text.
    private var message: String? {
        if let unknownCoding { return "its message is encoded as '\(unknownCoding)'" }
        let document = JSONDocument(body)
        let keys = ["message", "detail", "error_description", "errorMessage", "title", "error"]
        for place in [document, document["error"], document["errors"][0], document["report"]] {
            for key in keys {
                if let words = place[key].text, !words.isEmpty { return words }
            }
        }
        let text = text.trimmingWhitespace
        if text.hasPrefix("<") { return text.withoutMarkup }
        return text.hasPrefix("{") || text.hasPrefix("[") ? nil : text
    }
}

extension String {
    /// The text on one line, with each run of whitespace and control characters replaced by a space.
    var singleLine: String {
        let isGap = { (scalar: Unicode.Scalar) in
            scalar.properties.isWhitespace || [.control, .format].contains(scalar.properties.generalCategory)
        }
        return unicodeScalars.split(whereSeparator: isGap).map { String($0) }.joined(separator: " ")
    }

    /// Returns the text truncated to `limit` characters, with an ellipsis at the end if truncated.
    func bounded(to limit: Int) -> String { count <= limit ? self : prefix(limit - 1) + "…" }

    /// The visible text of an HTML or XML page, without tags, scripts and styles.
    fileprivate var withoutMarkup: String {
        var text = ""
        var rest = self[...]
        while let open = rest.firstIndex(of: "<") {
            text += rest[..<open] + " "
            rest = rest[open...]
            let hidden = ["script", "style"].first { rest.hasPrefix("<\($0)") }
            rest = rest.firstRange(of: hidden.map { "</\($0)>" } ?? ">").map { rest[$0.upperBound...] } ?? ""
        }
        text += rest
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&"),
        ]
        return entities.reduce(text) { $0.replacing($1.0, with: $1.1) }
    }
}
