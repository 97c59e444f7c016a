import FlowRuns

/// The offsets of a time zone from UTC, as a TZif file (RFC 9636) contains them.
///
/// The rule for the time after the last transition, a POSIX TZ string, is expanded for 400 years. The calendar repeats after
/// that, so a later time is looked up in the expanded years.
struct ZoneFile: Sendable {
    /// The times at which the offset changes, in Unix seconds, ascending.
    private(set) var transitions: [Int64] = []
    /// The offset before the first transition, then the one from each transition on.
    private(set) var offsets: [Int32]
    /// The time from which offsets are looked up one cycle earlier, in Unix seconds; `nil` without a repeating rule.
    private var repeatsFrom: Int64?

    /// 400 years of the Gregorian calendar, which are whole weeks.
    private static let cycle: Int64 = 146_097 * 86_400
    /// No zone was ever further from UTC; also the assumption of ``LocalClock``.
    private static let maxOffset: Int32 = 16 * 3600

    /// - Parameter bytes: of a whole file.
    init(_ bytes: [UInt8]) throws(ZoneFileError) {
        var reader = ZoneFileReader(bytes)
        var header = try reader.header()
        var width = 4
        if header.version >= UInt8(ascii: "2") {
            // The first block has 32-bit times, for old readers.
            try reader.skip(header.size(timeWidth: 4))
            header = try reader.header()
            width = 8
        }
        guard header.leapCount == 0 else { throw ZoneFileError("it counts leap seconds") }
        for _ in 0..<header.timeCount { transitions.append(try reader.integer(width)) }
        guard zip(transitions, transitions.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw ZoneFileError("its transitions are out of order")
        }
        var indices: [Int] = [0]
        for _ in 0..<header.timeCount { indices.append(Int(try reader.integer(1)) & 0xFF) }
        var types: [Int32] = []
        for _ in 0..<header.typeCount {
            let offset = Int32(truncatingIfNeeded: try reader.integer(4))
            guard abs(offset) <= Self.maxOffset else { throw ZoneFileError("it has an offset of more than 16 hours") }
            types.append(offset)
            try reader.skip(2)
        }
        guard !types.isEmpty, indices.allSatisfy(types.indices.contains) else {
            throw ZoneFileError("it names an offset that it does not have")
        }
        offsets = indices.map { types[$0] }
        try reader.skip(header.nameSize + header.indicatorCount)
        if width == 8 { try expand(try reader.footer()) }
    }

    /// Adds the transitions of a rule; an empty one says nothing.
    private mutating func expand(_ text: ArraySlice<UInt8>) throws(ZoneFileError) {
        guard !text.isEmpty else { return }
        guard let rule = PosixZone(text), abs(rule.standard) <= Self.maxOffset,
            abs(rule.daylight?.offset ?? 0) <= Self.maxOffset
        else { throw ZoneFileError("its last line is not a time zone rule") }
        guard let daylight = rule.daylight else {
            if transitions.isEmpty { offsets = [rule.standard] }
            return
        }
        let last = transitions.last ?? .min
        let firstYear = max(1900, UTCTime(Timestamp(seconds: max(last, -10_000_000_000))).year)
        var added: [(time: Int64, isStart: Bool)] = []
        for year in firstYear...firstYear + 401 {
            added.append((daylight.start.seconds(of: year) - Int64(rule.standard), true))
            added.append((daylight.end.seconds(of: year) - Int64(daylight.offset), false))
        }
        // Where daylight saving lasts all year, one end is the next start.
        added.sort { ($0.time, $0.isStart ? 1 : 0) < ($1.time, $1.isStart ? 1 : 0) }
        for (time, isStart) in added where time > last {
            let offset = isStart ? daylight.offset : rule.standard
            if transitions.last == time {
                offsets[offsets.count - 1] = offset
            } else {
                transitions.append(time)
                offsets.append(offset)
            }
        }
        repeatsFrom = (Timestamp(year: firstYear + 1, month: 1, day: 1)?.seconds ?? 0) + Self.cycle
    }

    /// Seconds east of Greenwich.
    func offset(at seconds: Int64) -> Int64 {
        var seconds = seconds
        if let repeatsFrom, seconds >= repeatsFrom {
            seconds -= ((seconds - repeatsFrom) / Self.cycle + 1) * Self.cycle
        }
        return Int64(offsets[transitions.partitioningIndex { $0 > seconds }])
    }
}

/// Why a zone file is not used: a sentence about the file.
struct ZoneFileError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

private struct ZoneFileReader {
    struct Header {
        let version: UInt8
        let indicatorCount: Int
        let leapCount: Int
        let timeCount: Int
        let typeCount: Int
        let nameSize: Int

        func size(timeWidth: Int) -> Int {
            timeCount * (timeWidth + 1) + typeCount * 6 + nameSize + leapCount * (timeWidth + 4) + indicatorCount
        }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func read(_ count: Int) throws(ZoneFileError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw ZoneFileError("it is cut off") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func skip(_ count: Int) throws(ZoneFileError) { _ = try read(count) }

    /// Big-endian, with its sign.
    mutating func integer(_ width: Int) throws(ZoneFileError) -> Int64 {
        let bytes = try read(width)
        let value = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return width == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
    }

    mutating func header() throws(ZoneFileError) -> Header {
        guard try read(4).elementsEqual("TZif".utf8) else { throw ZoneFileError("it is not a TZif file") }
        let version = UInt8(truncatingIfNeeded: try integer(1))
        try skip(15)
        var counts: [Int] = []
        for _ in 0..<6 { counts.append(Int(try integer(4) & 0xFFFF_FFFF)) }
        return Header(
            version: version, indicatorCount: counts[0] + counts[1], leapCount: counts[2], timeCount: counts[3],
            typeCount: counts[4], nameSize: counts[5])
    }

    /// The line at the end.
    mutating func footer() throws(ZoneFileError) -> ArraySlice<UInt8> {
        let lines = rest.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count >= 3, lines[0].isEmpty else { throw ZoneFileError("it is cut off") }
        return lines[1]
    }
}
