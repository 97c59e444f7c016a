import FlowRuns
import Foundation
import Text

/// A value that is stored in saved plans. All values are validated, so that no file can cause a trap later.
protocol SavedValue: Equatable, Sendable {
    static func read(from decoder: any Decoder) throws -> Self
    /// Writes the value as a member, or as an array element if `key` is `nil`.
    func write(_ key: String?, to json: inout JSONText)
}

/// A value whose saved form is a JSON object with the members of ``coding``.
protocol SavedObject: SavedValue {
    static var coding: any SavedCoding<Self> { get }
}

extension SavedObject {
    static func member<Value: SavedValue>(
        _ key: String, _ value: @escaping @Sendable (Self) -> Value, default standard: Value? = nil
    ) -> SavedMember<Self, Value> {
        SavedMember(key: key, standard: standard, value: value)
    }

    /// Returns a member that is absent if the value is `nil`.
    static func optional<Value: SavedValue>(
        _ key: String, _ value: @escaping @Sendable (Self) -> Value?
    ) -> SavedMember<Self, Value?> {
        SavedMember(key: key, standard: .some(nil), value: value)
    }

    static func read(from decoder: any Decoder) throws -> Self {
        do {
            return try coding.read(decoder.container(keyedBy: SavedKey.self))
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            throw DecodingError.invalid(context.debugDescription, at: decoder.codingPath)
        }
    }

    func write(_ key: String?, to json: inout JSONText) {
        if let key {
            json.object(key) { Self.coding.write(self, to: &$0) }
        } else {
            json.line { Self.coding.write(self, to: &$0) }
        }
    }
}

/// The saved form of a type: each member is listed once, for reading and writing.
protocol SavedCoding<Root>: Sendable {
    associatedtype Root

    /// Writes the members.
    ///
    /// - Parameters:
    ///   - key: the member before which other members are inserted.
    ///   - insert: writes these.
    func write(_ root: Root, to json: inout JSONText, before key: String?, _ insert: (inout JSONText) -> Void)
    func read(_ object: KeyedDecodingContainer<SavedKey>) throws -> Root
}

extension SavedCoding {
    func write(_ root: Root, to json: inout JSONText) { write(root, to: &json, before: nil) { _ in } }
}

/// A member of a saved object.
struct SavedMember<Root, Value: SavedValue>: Sendable {
    let key: String
    /// The value of an absent member; `nil` if the member is required.
    let standard: Value?
    let value: @Sendable (Root) -> Value

    func write(_ root: Root, to json: inout JSONText) {
        let value = value(root)
        if value != standard { value.write(key, to: &json) }
    }

    func read(_ object: KeyedDecodingContainer<SavedKey>) throws -> Value {
        if let standard, !object.contains(SavedKey(key)) { return standard }
        return try object.value(key)
    }
}

/// Members in their order, and the function that makes a value of them.
struct ObjectCoding<Root: Sendable, each Value: SavedValue>: SavedCoding {
    private let make: @Sendable (repeat each Value) throws -> Root
    private let members: (repeat SavedMember<Root, each Value>)

    init(
        _ make: @escaping @Sendable (repeat each Value) throws -> Root,
        _ members: repeat SavedMember<Root, each Value>
    ) {
        self.make = make
        self.members = (repeat each members)
    }

    func write(_ root: Root, to json: inout JSONText, before key: String?, _ insert: (inout JSONText) -> Void) {
        func write<Member>(_ member: SavedMember<Root, Member>) {
            if member.key == key { insert(&json) }
            member.write(root, to: &json)
        }
        repeat write(each members)
    }

    func read(_ object: KeyedDecodingContainer<SavedKey>) throws -> Root {
        try make(repeat (each members).read(object))
    }
}

struct SavedKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ key: String) { stringValue = key }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<SavedKey> {
    func value<Value: SavedValue>(_ key: String) throws -> Value {
        try decode(Decoded<Value>.self, forKey: SavedKey(key)).value
    }

    func optional<Value: SavedValue>(_ key: String) throws -> Value? {
        contains(SavedKey(key)) ? try value(key) as Value : nil
    }

    func object(_ key: String) throws -> Self {
        try nestedContainer(keyedBy: SavedKey.self, forKey: SavedKey(key))
    }

}

extension DecodingError {
    /// An invalid value, or values that do not fit together.
    static func invalid(_ reason: String, at path: [any CodingKey] = []) -> DecodingError {
        .dataCorrupted(Context(codingPath: path, debugDescription: reason))
    }
}

// MARK: Values

/// A saved value for Foundation's decoder.
struct Decoded<Value: SavedValue>: Decodable {
    let value: Value

    init(from decoder: any Decoder) throws { value = try Value.read(from: decoder) }
}

extension SavedValue where Self: Decodable {
    static func read(from decoder: any Decoder) throws -> Self { try decoder.singleValueContainer().decode(Self.self) }
}

extension Optional: SavedValue where Wrapped: SavedValue {
    static func read(from decoder: any Decoder) throws -> Wrapped? { try Wrapped.read(from: decoder) }
    func write(_ key: String?, to json: inout JSONText) { self?.write(key, to: &json) }
}

extension Array: SavedValue where Element: SavedValue {
    static func read(from decoder: any Decoder) throws -> [Element] {
        try decoder.singleValueContainer().decode([Decoded<Element>].self).map(\.value)
    }

    func write(_ key: String?, to json: inout JSONText) {
        json.array(key ?? "") { json in for element in self { element.write(nil, to: &json) } }
    }
}

extension String: SavedValue {
    func write(_ key: String?, to json: inout JSONText) {
        if let key { json.member(key, self) } else { json.element(self) }
    }
}

extension Int: SavedValue {
    /// Reads a number that is so small that no sum overflows.
    static func read(from decoder: any Decoder) throws -> Int {
        let number = try decoder.singleValueContainer().decode(Int.self)
        guard number.magnitude <= 1 << 40 else {
            throw DecodingError.invalid("a number out of range", at: decoder.codingPath)
        }
        return number
    }

    func write(_ key: String?, to json: inout JSONText) {
        if let key { json.member(key, self) } else { json.element(self) }
    }
}

extension Bool: SavedValue {
    func write(_ key: String?, to json: inout JSONText) { if let key { json.member(key, self) } }
}

extension Double: SavedValue {
    func write(_ key: String?, to json: inout JSONText) { if let key { json.member(key, self) } }
}

/// A time in Unix seconds.
extension Timestamp: SavedValue {
    /// The maximum magnitude: 9e15 seconds still fit in 64 bits as milliseconds.
    private static let largest: UInt64 = 9_000_000_000_000_000

    static func read(from decoder: any Decoder) throws -> Timestamp {
        let seconds = try decoder.singleValueContainer().decode(Int64.self)
        guard seconds.magnitude <= largest else {
            throw DecodingError.invalid("a time out of range", at: decoder.codingPath)
        }
        return Timestamp(seconds: seconds)
    }

    func write(_ key: String?, to json: inout JSONText) { if let key { json.member(key, seconds) } }
}

/// A text that stands for a value.
protocol SavedText: SavedValue {
    var savedText: String { get }
    static func value(ofSavedText text: String) -> Self?
}

extension SavedText {
    static func read(from decoder: any Decoder) throws -> Self {
        let container = try decoder.singleValueContainer()
        guard let value = value(ofSavedText: try container.decode(String.self)) else {
            throw DecodingError.invalid("an unknown word", at: decoder.codingPath)
        }
        return value
    }

    func write(_ key: String?, to json: inout JSONText) { savedText.write(key, to: &json) }
}

extension SavedText where Self: RawRepresentable<String> {
    var savedText: String { rawValue }
    static func value(ofSavedText text: String) -> Self? { Self(rawValue: text) }
}

extension SavedText where Self: LosslessStringConvertible {
    var savedText: String { description }
    static func value(ofSavedText text: String) -> Self? { Self(text) }
}

extension FlowID: SavedText {}
extension RunID: SavedText {}
