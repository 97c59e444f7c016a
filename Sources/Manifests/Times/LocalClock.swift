import FlowRuns
import Foundation

/// Turns local calendar time into moments and back. A "civil" time is what a clock on the wall shows, as if it
/// showed UTC.
struct LocalClock {
    private let zone: TimeZone

    /// `nil` for a name that is not an IANA one: `Region/City`, or `UTC`.
    init?(_ name: String) {
        let isPlain = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || "0123456789_+-/".utf8.contains(byte)
        }
        // Foundation also takes abbreviations such as PST, and GMT+3: what they mean is a matter of opinion.
        guard isPlain, name == "UTC" || name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        self.zone = zone
    }

    /// The name that was most likely meant: also by a city alone, or by letters in another case.
    static func nearestName(to name: String) -> String? {
        let known = TimeZone.knownTimeZoneIdentifiers.sorted() + ["UTC"]
        if let city = known.first(where: { $0.lowercased().hasSuffix("/" + name.lowercased()) }) { return city }
        return TimeZone.abbreviationDictionary[name.uppercased()] ?? nearest(to: name, among: known)
    }

    /// What the clock shows at a moment.
    func civil(at moment: Timestamp) -> Timestamp { moment + offset(at: moment) }

    /// When the clock shows `civil`: the first of two such moments, and the end of the gap if the clock skips it.
    func moment(of civil: Timestamp) -> Timestamp {
        // No zone was ever further than 16 hours from UTC, and none changed its offset twice in two days.
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
