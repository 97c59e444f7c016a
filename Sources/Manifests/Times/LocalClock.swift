import FlowRuns
import Foundation

/// A converter between local calendar time and instants. A "civil" time is the time on a local clock, represented as if
/// it were UTC.
struct LocalClock {
    private let zone: TimeZone

    /// Creates a clock; returns `nil` for a name that is not an IANA name: `Region/City`, or `UTC`.
    init?(_ name: String) {
        let isPlain = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || "0123456789_+-/".utf8.contains(byte)
        }
        // Foundation also accepts abbreviations such as PST, and GMT+3, which are ambiguous.
        guard isPlain, name == "UTC" || name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        self.zone = zone
    }

    /// Returns the name that was most likely meant. Also matches a city alone, an abbreviation, or letters in another
    /// case.
    static func nearestName(to name: String) -> String? {
        let known = TimeZone.knownTimeZoneIdentifiers.sorted() + ["UTC"]
        if let city = known.first(where: { $0.lowercased().hasSuffix("/" + name.lowercased()) }) { return city }
        return TimeZone.abbreviationDictionary[name.uppercased()] ?? nearest(to: name, among: known)
    }

    /// Returns the local time at an instant.
    func civil(at moment: Timestamp) -> Timestamp { moment + offset(at: moment) }

    /// Returns the instant of a local time: the first of two if the time repeats, or the end of the gap if the clock
    /// skips it.
    func moment(of civil: Timestamp) -> Timestamp {
        // No zone was ever more than 16 hours from UTC, and none changed its offset twice within two days.
        var before = civil - .seconds(16 * 3600)
        var after = civil + .seconds(16 * 3600)
        let (oldOffset, newOffset) = (offset(at: before), offset(at: after))
        if oldOffset == newOffset { return civil - oldOffset }
        while after - before > .milliseconds(1) {
            let middle = before + (after - before) / 2
            if offset(at: middle) == oldOffset { before = middle } else { after = middle }
        }
        let change = after
        return civil - oldOffset < change ? civil - oldOffset : max(change, civil - newOffset)
    }

    private func offset(at moment: Timestamp) -> Duration {
        .seconds(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment.seconds))))
    }
}
