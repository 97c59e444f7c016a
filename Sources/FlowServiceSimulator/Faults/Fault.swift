/// A failure that the simulator injects. See ``catalogue`` for the kinds, and ``parse(_:)`` for the syntax.
package struct Fault: Hashable, Sendable {
    package let kind: Kind
    /// The requests that the fault applies to.
    package let scope: Scope
    /// The fraction of these requests that fail, 0...1. The seed selects the requests.
    package let rate: Double
    /// The number of the only request that fails, counted from 1 within the scope; `nil` for any request.
    package let only: Int?

    /// Creates a fault, which by default applies to every `POST /runs`.
    package init(_ kind: Kind, scope: Scope = .postRuns, rate: Double = 1, only: Int? = nil) {
        self.kind = kind
        self.scope = scope
        self.rate = rate
        self.only = only
    }

    /// A group of requests that a fault can apply to.
    package enum Scope: String, Hashable, Sendable, CaseIterable {
        case postRuns = "post-runs"
        case retrigger = "re-trigger"
        case getRuns = "get-runs"
        case getFlows = "get-flows"
        case token
        case any
    }

    /// A kind of failure.
    package enum Kind: Hashable, Sendable {
        /// Responds with this status without processing the request.
        case status(Int, RetryAfter?)
        /// Processes the request, then responds with this status.
        case statusAfter(Int)
        case resetBefore
        case resetAfter
        case cutAnswer
        case wrongLength
        case slow(Duration)
        case slowBefore(Duration)
        case slowBody(Duration)
        case closeIdle
        case hugeError
        case htmlError
        case noID
    }

    /// The two forms of the header `Retry-After`.
    package enum RetryAfter: Hashable, Sendable {
        case seconds(Duration)
        /// An HTTP date this far in the future.
        case date(Duration)
    }
}

// MARK: - Texts

extension Fault {
    /// The documentation of one kind of fault.
    package struct Entry: Hashable, Sendable {
        /// The syntax, such as `slow:TIME`.
        package let name: String
        /// The effect, in one line.
        package let meaning: String
    }

    /// All kinds of faults, for `--help` and the documentation.
    ///
    /// `STATUS` is a number from 300 to 599; `TIME` is a duration such as `500ms`, `2s` or `1m`.
    package static let catalogue: [Entry] = [
        Entry(name: "STATUS", meaning: "answered with this status, no run created; also STATUS-before"),
        Entry(name: "STATUS-after", meaning: "run created, and answered with this status"),
        Entry(name: "STATUS-retry-after:TIME", meaning: "like STATUS, with Retry-After in seconds"),
        Entry(name: "STATUS-retry-date:TIME", meaning: "like STATUS, with Retry-After as a date"),
        Entry(name: "401-once", meaning: "401@1: the first request is answered 401"),
        Entry(name: "reset-before", meaning: "the connection is reset, no run created"),
        Entry(name: "reset-after", meaning: "run created, then the connection is reset without an answer"),
        Entry(name: "cut-answer", meaning: "run created; half of the answer, then the connection is closed"),
        Entry(name: "wrong-length", meaning: "run created; Content-Length is half of the length of the body"),
        Entry(name: "slow:TIME", meaning: "run created at once, answered only after the time"),
        Entry(name: "slow-before:TIME", meaning: "run created and answered only after the time"),
        Entry(name: "slow-body:TIME", meaning: "run created; the answer's body comes in small parts over the time"),
        Entry(
            name: "close-idle", meaning: "a kept-alive connection is closed as the next request arrives; no run created"
        ),
        Entry(name: "huge-error", meaning: "500 with a page of 10 MB, no run created"),
        Entry(name: "html-error", meaning: "502 with a page of HTML, no run created"),
        Entry(name: "no-id", meaning: "run created, and answered with success but no id"),
    ]

    /// Parses `[SCOPE/]NAME[:TIME][:RATE][@N]`: `500-after:0.1`, `slow:2s`, `429-retry-after:1s:0.2`, `401@1`,
    /// `get-runs/503@2`.
    ///
    /// Without a scope, the fault applies to `POST /runs`; without a rate, to every request.
    ///
    /// - Throws: ``FaultError`` if the text does not follow the syntax, with the known scopes or faults in its reason.
    package static func parse(_ text: String) throws(FaultError) -> Fault {
        var rest = text[...]
        var scope = Scope.postRuns
        if let slash = rest.firstIndex(of: "/") {
            guard let known = Scope(rawValue: String(rest[..<slash])) else {
                throw FaultError(
                    text, "unknown scope; known: \(Scope.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            scope = known
            rest = rest[rest.index(after: slash)...]
        }
        var only: Int?
        if let at = rest.lastIndex(of: "@") {
            guard let number = Int(rest[rest.index(after: at)...]), number > 0 else {
                throw FaultError(text, "after '@' write the number of a request, 1 or more")
            }
            only = number
            rest = rest[..<at]
        }
        var words = rest.split(separator: ":", omittingEmptySubsequences: false)[...]
        let name = String(words.popFirst() ?? "")
        let form = try Form(name, of: text)
        let kind: Kind
        switch form {
        case .plain(let plain): kind = plain
        case .once(let plain): (kind, only) = (plain, 1)
        case .timed(let timed):
            guard let time = words.popFirst().flatMap(duration) else {
                throw FaultError(text, "'\(name)' needs a time, such as \(name):2s or \(name):500ms")
            }
            kind = timed(time)
        }
        var rate = 1.0
        if let word = words.popFirst() {
            guard let number = Double(word), (0...1).contains(number) else {
                throw FaultError(text, "the rate '\(word)' is not a number from 0 to 1")
            }
            rate = number
        }
        guard words.isEmpty else { throw FaultError(text, "unexpected text after the rate") }
        return Fault(kind, scope: scope, rate: rate, only: only)
    }

    /// The form of a fault, which depends on its name.
    private enum Form {
        case plain(Kind)
        case once(Kind)
        case timed((Duration) -> Kind)

        init(_ name: String, of text: String) throws(FaultError) {
            switch name {
            case "401-once": self = .once(.status(401, nil))
            case "reset-before": self = .plain(.resetBefore)
            case "reset-after": self = .plain(.resetAfter)
            case "cut-answer": self = .plain(.cutAnswer)
            case "wrong-length": self = .plain(.wrongLength)
            case "slow": self = .timed(Kind.slow)
            case "slow-before": self = .timed(Kind.slowBefore)
            case "slow-body": self = .timed(Kind.slowBody)
            case "close-idle": self = .plain(.closeIdle)
            case "huge-error": self = .plain(.hugeError)
            case "html-error": self = .plain(.htmlError)
            case "no-id": self = .plain(.noID)
            default:
                guard name.prefix(3).count == 3, let status = Int(name.prefix(3)), (300...599).contains(status) else {
                    throw FaultError(text, "unknown fault; known: \(catalogue.map(\.name).joined(separator: ", "))")
                }
                switch name.dropFirst(3) {
                case "", "-before": self = .plain(.status(status, nil))
                case "-after": self = .plain(.statusAfter(status))
                case "-retry-after": self = .timed { .status(status, .seconds($0)) }
                case "-retry-date": self = .timed { .status(status, .date($0)) }
                default:
                    throw FaultError(
                        text, "after a status write nothing, -before, -after, -retry-after:TIME or -retry-date:TIME")
                }
            }
        }
    }
}

/// The reason why a text does not describe a fault.
package struct FaultError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let reason: String
    package var description: String { "fault '\(text)': \(reason)" }

    init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }
}

/// Parses a duration of at most one day: `500ms`, `2s`, `1m` or `1h`. Returns `nil` for other texts.
private func duration(_ text: Substring) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let units: [Substring: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
    guard let number = Int64(digits), let unit = units[text.dropFirst(digits.count)], number <= 86_400_000 / unit else {
        return nil
    }
    return .milliseconds(number * unit)
}
