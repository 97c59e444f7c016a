import FlowRuns
import Foundation

/// A fast parser for a run's line in the canonical form that ``LedgerExport`` writes, with its members in fixed order.
/// An export may contain a million such lines, and a general JSON parser takes ten times as long.
///
/// Gives up on any unusual or non-canonical line; ``ExportedLine`` then parses that line and reports its errors.
struct CanonicalRun {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    /// Whether the line contains text that must be re-encoded to verify its canonical form.
    private var isUnusual = false

    /// Parses a line; `nil` if the line is not a canonical run of the flow.
    ///
    /// - Parameter flow: the flow whose runs are being read.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>, of flow: FlowID) -> LedgerEntry? {
        var line = CanonicalRun(bytes: bytes)
        guard let entry = line.entry(of: flow), line.position == bytes.count, entry.invalidity == nil else {
            return nil
        }
        if line.isUnusual, !LedgerExport.line(entry).dropLast().elementsEqual(bytes) { return nil }
        return entry
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func entry(of flow: FlowID) -> LedgerEntry? {
        guard take(#"{"kind":"run","flow":""#), take(flow.description), take("\"") else { return nil }
        var window: Window?
        if take(#","window":{"start":"#) {
            guard let start = integer(), take(#","end":"#), let end = integer(), take("}"),
                let span = Window(startSeconds: start, endSeconds: end)
            else { return nil }
            window = span
        }
        guard let rerun = optionalText(#","rerun":""#), take(#","attempt":"#), let attempt = integer(),
            take(#","state":""#), let state = word(RunState.init(utf8:)),
            take(#","origin":""#), let origin = word(RunOrigin.init(utf8:)),
            let id = optionalText(#","run":""#), let column = column(), take(#","recordedAt":"#),
            let recordedAt = integer(), let failure = optionalText(#","failure":""#),
            let request = optionalText(#","request":""#), let response = optionalText(#","response":""#),
            let status = optionalText(#","status":""#), let counts = counts(), take(#","updatedAt":"#),
            let updatedAt = integer(), let provenance = provenance(), let claim = claim(), take("}")
        else { return nil }
        if case .some("") = id { return nil }
        let run = RecordedRun(
            identity: RunIdentity(flow: flow, window: window, rerun: rerun, attempt: Int(attempt)), state: state,
            origin: origin, id: id.flatMap(RunID.init), deltaColumn: column,
            recordedAt: Timestamp(milliseconds: recordedAt), failure: failure, claim: claim)
        return LedgerEntry(
            run: run, request: request, response: response, status: status, counts: counts,
            updatedAt: Timestamp(milliseconds: updatedAt), provenance: provenance)
    }

    // MARK: Members of objects: `nil` for an invalid member, `.some(nil)` for an absent one.

    private mutating func column() -> DeltaColumn?? {
        guard take(#","deltaColumn":{"name":""#) else { return .some(nil) }
        guard let name = text(), let dateFormat = optionalText(#","dateFormat":""#),
            let timezone = optionalText(#","timezone":""#), take("}")
        else { return nil }
        return DeltaColumn(name: name, dateFormat: dateFormat, timezone: timezone)
    }

    private mutating func counts() -> RunCounts? {
        var counts = RunCounts()
        guard take(#","counts":{"#) else { return counts }
        var isFirst = true
        guard number(#""inputRecords":"#, &isFirst, &counts.inputRecords),
            number(#""outputRecords":"#, &isFirst, &counts.outputRecords),
            number(#""failedRecords":"#, &isFirst, &counts.failedRecords),
            number(#""inputFiles":"#, &isFirst, &counts.inputFiles), !isFirst, take("}")
        else { return nil }
        return counts
    }

    private mutating func provenance() -> Provenance? {
        var provenance = Provenance()
        guard take(#","provenance":{"#) else { return provenance }
        var isFirst = true
        var line: Int64?
        guard text(#""file":""#, &isFirst, &provenance.file), number(#""line":"#, &isFirst, &line),
            text(#""commit":""#, &isFirst, &provenance.commit), text(#""author":""#, &isFirst, &provenance.author),
            text(#""ciRun":""#, &isFirst, &provenance.ciRun), text(#""reason":""#, &isFirst, &provenance.reason),
            !isFirst, take("}")
        else { return nil }
        provenance.line = line.map(Int.init)
        return provenance
    }

    private mutating func claim() -> RunClaim?? {
        guard take(#","claim":{"id":""#) else { return .some(nil) }
        guard let id = text().flatMap(ClaimID.init), take(#","owner":""#), let owner = text() else { return nil }
        var time: ServiceTime?
        if take(#","earliest":"#) {
            guard let earliest = integer(), take(#","latest":"#), let latest = integer() else { return nil }
            time = ServiceTime(
                earliest: Timestamp(milliseconds: earliest), latest: Timestamp(milliseconds: latest))
        }
        guard take("}") else { return nil }
        return RunClaim(id: id, owner: owner, time: time)
    }

    // MARK: Words, numbers and text

    private mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard let base = bytes.baseAddress, bytes.count - position >= count,
            memcmp(base + position, word.utf8Start, count) == 0
        else { return false }
        position += count
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        var word = word
        let isThere = word.withUTF8 { word in
            guard let base = bytes.baseAddress, let start = word.baseAddress, bytes.count - position >= word.count
            else {
                return false
            }
            return memcmp(base + position, start, word.count) == 0
        }
        if isThere { position += word.utf8.count }
        return isThere
    }

    /// Parses an optional member; `false` if its value is invalid.
    private mutating func number(_ name: StaticString, _ isFirst: inout Bool, _ value: inout Int64?) -> Bool {
        guard takeMember(name, &isFirst) else { return true }
        value = integer()
        return value != nil
    }

    private mutating func text(_ name: StaticString, _ isFirst: inout Bool, _ value: inout String?) -> Bool {
        guard takeMember(name, &isFirst) else { return true }
        value = text()
        return value != nil
    }

    private mutating func takeMember(_ name: StaticString, _ isFirst: inout Bool) -> Bool {
        let before = position
        guard isFirst || take(","), take(name) else {
            position = before
            return false
        }
        isFirst = false
        return true
    }

    /// Parses an integer in canonical form: no plus sign and no leading zeros.
    private mutating func integer() -> Int64? {
        let isNegative = take("-")
        let start = position
        var value: Int64 = 0
        while position < bytes.count, case let digit = bytes[position], digit >= 0x30, digit <= 0x39 {
            // 18 digits cannot overflow.
            value = value &* 10 &+ Int64(digit & 15)
            position += 1
        }
        let count = position - start
        guard (1...18).contains(count), bytes[start] != 0x30 || (count == 1 && !isNegative) else { return nil }
        return isNegative ? -value : value
    }

    /// Parses the text up to the closing quotation mark, and consumes the mark.
    private mutating func word<Word>(_ make: (UnsafeBufferPointer<UInt8>) -> Word?) -> Word? {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        defer { position = end + 1 }
        return make(UnsafeBufferPointer(rebasing: bytes[position..<end]))
    }

    private mutating func optionalText(_ name: StaticString) -> String?? {
        guard take(name) else { return .some(nil) }
        guard let text = text() else { return nil }
        return .some(text)
    }

    private mutating func text() -> String? {
        let start = position
        var escapes = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let range = UnsafeBufferPointer(rebasing: bytes[start..<position])
                position += 1
                return escapes == 0 ? String(decoding: range, as: UTF8.self) : Self.unescaped(range)
            }
            if byte < 0x20 { return nil }
            if byte == UInt8(ascii: "\\") {
                escapes += 1
                position += 1
            } else if byte >= 0x7F || byte == UInt8(ascii: "#") {
                isUnusual = true
            }
            position += 1
        }
        return nil
    }

    private static func unescaped(_ range: UnsafeBufferPointer<UInt8>) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var position = 0
        while position < range.count {
            var byte = range[position]
            if byte == UInt8(ascii: "\\") {
                position += 1
                switch range[position] {
                case UInt8(ascii: "\""): byte = UInt8(ascii: "\"")
                case UInt8(ascii: "\\"): byte = UInt8(ascii: "\\")
                case UInt8(ascii: "n"): byte = UInt8(ascii: "\n")
                case UInt8(ascii: "r"): byte = UInt8(ascii: "\r")
                case UInt8(ascii: "t"): byte = UInt8(ascii: "\t")
                default: return nil
                }
            }
            bytes.append(byte)
            position += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
