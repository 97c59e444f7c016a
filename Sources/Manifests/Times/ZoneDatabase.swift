import FlowRuns
import Foundation

/// The source of time zone rules: the machine's zone files (TZif) or, if it has none, the rules built into the program.
package struct ZoneDatabase: Sendable {
    /// The folders with zone files, the first one that has a zone counts.
    package let folders: [String]

    /// The machine's.
    package static let system = ZoneDatabase(tzdir: ProcessInfo.processInfo.environment["TZDIR"])

    /// - Parameter tzdir: the folder that is searched first, as `TZDIR` names it.
    package init(tzdir: String?) {
        let usual = [
            "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
            "/var/db/timezone/zoneinfo",
        ]
        self.init(folders: [tzdir].compactMap { $0?.isEmpty == true ? nil : $0 } + usual)
    }

    init(folders: [String]) {
        self.folders = folders.filter { folder in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) && isFolder.boolValue
        }
    }

    /// What a zone's name leads to.
    enum LookupResult {
        /// The rules, and the folder that contains them.
        case file(ZoneFile, folder: String)
        /// A file that cannot be used, and why.
        case damaged(path: String, String)
        case none
    }

    func find(_ name: String) -> LookupResult {
        for folder in folders {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            guard status.st_size <= 1 << 20, let data = FileManager.default.contents(atPath: path) else {
                return .damaged(path: path, "it cannot be read")
            }
            do throws(ZoneFileError) { return .file(try ZoneFile(Array(data)), folder: folder) } catch {
                return .damaged(path: path, error.description)
            }
        }
        return .none
    }

    /// The names of all zones that the machine has files for.
    static let systemNames = system.names()

    func names() -> Set<String> {
        var names: Set<String> = []
        for folder in folders {
            for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
                guard ZoneName.isPlain(name), !ZoneName.isReserved(name),
                    Self.beginning("\(folder)/\(name)", count: 4).elementsEqual("TZif".utf8)
                else { continue }
                names.insert(name)
            }
        }
        return names
    }

    private static func beginning(_ path: String, count: Int) -> Data {
        guard let file = FileHandle(forReadingAtPath: path) else { return Data() }
        defer { try? file.close() }
        return (try? file.read(upToCount: count)) ?? Data()
    }

    /// The first folder with zone files, and the version of tzdata that it has; `nil` where the machine has none.
    package var source: (folder: String, version: String)? {
        folders.first.map { ($0, Self.version(of: $0)) }
    }

    /// The version of the rules that are built into the program.
    package static var builtInVersion: String { TimeZone.timeZoneDataVersion }

    /// `2025b`, or the day on which the files were written.
    static func version(of folder: String) -> String {
        func firstLine(_ name: String) -> Substring? {
            String(decoding: beginning("\(folder)/\(name)", count: 100), as: UTF8.self)
                .split(whereSeparator: \.isNewline).first
        }
        if let line = firstLine("tzdata.zi"), line.hasPrefix("# version ") {
            return String(line.dropFirst("# version ".count))
        }
        if let line = firstLine("+VERSION") { return String(line) }
        for name in ["UTC", "Etc/UTC", "."] {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            guard let date = attributes?[.modificationDate] as? Date else { continue }
            return "files of " + UTCTime(Timestamp(seconds: Int64(date.timeIntervalSince1970))).date
        }
        return "unknown"
    }
}

/// Which names can be those of time zones.
enum ZoneName {
    /// Letters, digits, `_`, `+`, `-` and single slashes.
    static func isPlain(_ name: String) -> Bool {
        name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || "0123456789_+-".utf8.contains(byte)
                }
        }
    }

    /// Files of a zone folder that are no zones: copies, the machine's local zone, and placeholders.
    static func isReserved(_ name: String) -> Bool {
        ["Factory", "localtime", "posixrules"].contains(name)
            || ["posix/", "right/", "SystemV/"].contains(where: name.hasPrefix)
    }

    /// Whether the rules built into the program know it as an IANA zone. They also take abbreviations such as PST, whose
    /// meaning is a matter of opinion, and offsets such as GMT+3.
    static func isBuiltIn(_ name: String) -> Bool {
        isPlain(name) && !isReserved(name) && (name.contains("/") || words.contains(name))
            && TimeZone(identifier: name) != nil
    }

    /// Aliases without a slash.
    static let words: Set = [
        "CET", "CST6CDT", "Cuba", "EET", "EST", "EST5EDT", "Egypt", "Eire", "GB", "GB-Eire", "GMT", "GMT+0", "GMT-0",
        "GMT0", "Greenwich", "HST", "Hongkong", "Iceland", "Iran", "Israel", "Jamaica", "Japan", "Kwajalein", "Libya",
        "MET", "MST", "MST7MDT", "NZ", "NZ-CHAT", "Navajo", "PRC", "PST8PDT", "Poland", "Portugal", "ROC", "ROK",
        "Singapore", "Turkey", "UCT", "UTC", "Universal", "W-SU", "WET", "Zulu",
    ]
}
