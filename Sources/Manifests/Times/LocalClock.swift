import FlowRuns
import Foundation
import Synchronization
import Text

/// Converts between local time and moments. A civil time is the reading of a wall clock, stored as if it were UTC.
package struct LocalClock: Sendable {
    private enum Rules: Sendable {
        case file(ZoneFile)
        case builtIn(TimeZone)
    }

    private let rules: Rules
    /// The folder with the zone's file; `nil` for the rules built into the program.
    let folder: String?
    /// Why the machine's file for the zone is not used; names the file.
    let fault: String?

    /// Creates the clock of a zone by the machine's rules, or by the program's built-in rules if the machine has none.
    ///
    /// Returns `nil` if no zone has this name.
    package init?(_ name: String) {
        let cached = Self.cache.withLock { $0[name] }
        if let cached {
            self = cached
            return
        }
        guard let clock = LocalClock(name, in: .system) else { return nil }
        Self.cache.withLock { $0[name] = clock }
        self = clock
    }

    private static let cache = Mutex<[String: LocalClock]>([:])

    init?(_ name: String, in database: ZoneDatabase) {
        guard ZoneName.isPlain(name), !ZoneName.isReserved(name) else { return nil }
        switch database.find(name) {
        case .file(let file, let folder): (rules, self.folder, fault) = (.file(file), folder, nil)
        case .damaged(let path, let reason):
            guard let builtIn = LocalClock(builtIn: name) else { return nil }
            rules = builtIn.rules
            folder = nil
            fault = "cannot use the zone file '\(printable(path))' (\(reason))"
        case .none:
            guard let builtIn = LocalClock(builtIn: name) else { return nil }
            self = builtIn
        }
    }

    /// Creates the clock of a zone by the program's built-in rules.
    init?(builtIn name: String) {
        guard ZoneName.isBuiltIn(name), let zone = TimeZone(identifier: name) else { return nil }
        (rules, folder, fault) = (.builtIn(zone), nil, nil)
    }

    /// Whether both clocks show the same from `start` to `end`.
    func agrees(with other: LocalClock, from start: Timestamp, to end: Timestamp) -> Bool {
        // Between their changes both offsets are constant.
        let moments = [start] + changes(from: start, to: end) + other.changes(from: start, to: end)
        return moments.allSatisfy { offset(at: $0) == other.offset(at: $0) }
    }

    /// Returns the moments at which the offset changes, and possibly other moments.
    private func changes(from start: Timestamp, to end: Timestamp) -> [Timestamp] {
        switch rules {
        case .file(let file):
            return file.transitions.lazy.filter { (start.seconds...end.seconds).contains($0) }
                .map { Timestamp(seconds: $0) }
        case .builtIn(let zone):
            var changes: [Timestamp] = []
            var date = Date(timeIntervalSince1970: TimeInterval(start.seconds))
            let last = Date(timeIntervalSince1970: TimeInterval(end.seconds))
            while let next = zone.nextDaylightSavingTimeTransition(after: date), next > date, next <= last {
                changes.append(Timestamp(seconds: Int64(next.timeIntervalSince1970)))
                date = next
            }
            return changes
        }
    }

    /// Returns the zone name that was most likely meant. Understands a city alone, abbreviations, and any letter case.
    static func nearestName(to name: String) -> String? {
        var query = name
        for prefix in ["SystemV/", "posix/", "right/"] where query.hasPrefix(prefix) {
            query.removeFirst(prefix.count)
            if LocalClock(query) != nil { return query }
        }
        // The sign is reversed in these names.
        if let match = query.uppercased().wholeMatch(of: /(GMT|UTC)([+-])0?(\d\d?)(:?00)?/), let hours = Int(match.3) {
            let zone = hours == 0 ? "UTC" : "Etc/GMT\(match.2 == "+" ? "-" : "+")\(hours)"
            if LocalClock(zone) != nil { return zone }
        }
        let names = ZoneDatabase.systemNames.union(TimeZone.knownTimeZoneIdentifiers.filter(ZoneName.isBuiltIn))
            .union(["UTC"]).sorted()
        let lowercased = query.lowercased()
        if let other = names.first(where: { $0.lowercased() == lowercased }) { return other }
        if let city = names.first(where: { $0.lowercased().hasSuffix("/" + lowercased) }) { return city }
        if let zone = TimeZone.abbreviationDictionary[query.uppercased()], LocalClock(zone) != nil { return zone }
        if let zone = nearest(to: query, among: names) { return zone }
        let cities = Dictionary(names.map { (String($0.split(separator: "/").last ?? ""), $0) }) { first, _ in first }
        return nearest(to: query, among: cities.keys.sorted()).flatMap { cities[$0] }
    }

    /// Returns the civil time at a moment.
    package func civil(at moment: Timestamp) -> Timestamp { moment + offset(at: moment) }

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

    /// Returns the offset from UTC at a moment; positive east of Greenwich.
    package func offset(at moment: Timestamp) -> Duration {
        switch rules {
        case .file(let file): .seconds(file.offset(at: moment.seconds))
        case .builtIn(let zone):
            .seconds(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment.seconds))))
        }
    }
}
