import ArgumentParser
import FlowRuns
import Foundation
import Manifests

/// A point in time, as written on the command line.
struct Moment {
    static let form =
        "Unix seconds, RFC 3339 such as 2024-05-01T00:00:00Z, a date (its start in UTC), \(days)"

    private static let days = "yesterday, today or tomorrow"

    let time: Timestamp

    /// Parses a time.
    ///
    /// - Throws: `ValidationError` with the fault and a correction.
    init(_ argument: String) throws {
        try self.init(argument, now: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
    }

    init(_ argument: String, now: Timestamp) throws {
        let today = Timestamp(seconds: now.seconds - now.seconds % 86_400)
        switch argument {
        case "now": time = now
        case "today": time = today
        case "yesterday": time = today - .seconds(86_400)
        case "tomorrow": time = today + .seconds(86_400)
        default:
            do throws(TimeTextError) {
                switch try TimeText.read(argument) {
                case .instant(let moment): time = moment
                case .local(let civil) where argument.count == "2024-05-01".count: time = civil
                case .local(let civil):
                    throw TimeTextError(
                        message: "the time '\(argument)' has no offset from UTC",
                        suggestion: "for UTC write \(civil)")
                }
            } catch {
                let words = "a date, \(Self.days)"
                throw ValidationError(
                    [error.message, error.suggestion.map { "\($0), or \(words)" } ?? "write \(words)"]
                        .joined(separator: "; "))
            }
        }
    }
}

/// A duration, as written on the command line: `90s`, `30m`, `1h30m`, `2d`, or ISO 8601 (`PT30M`).
struct TimeLimit {
    static let form = "such as 90s, 30m, 1h30m or PT30M"

    let duration: Duration

    /// Parses a duration.
    ///
    /// - Throws: `ValidationError` with the fault and a correction.
    init(_ argument: String) throws {
        guard let duration = DurationText(Self.iso8601(argument)) else {
            let hint = Int64(argument).map { "for seconds write \($0)s" } ?? "write a length of time \(Self.form)"
            throw ValidationError("invalid duration '\(argument)'; \(hint)")
        }
        guard let length = duration.fixed else {
            throw ValidationError("the duration '\(argument)' has months or years, whose length varies; use days")
        }
        self.duration = length
    }

    private static func iso8601(_ text: String) -> String {
        let text = text.uppercased()
        guard !text.hasPrefix("P") else { return text }
        guard let days = text.firstIndex(of: "D") else { return "PT\(text)" }
        let rest = text[text.index(after: days)...]
        return "P\(text[...days])\(rest.isEmpty ? "" : "T\(rest)")"
    }
}
