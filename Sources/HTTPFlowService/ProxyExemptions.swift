import FlowService
import Foundation

/// The hosts in `NO_PROXY`, parsed as curl and Go parse it: entries separated by commas or spaces, case-insensitive.
///
/// | entry | hosts |
/// | --- | --- |
/// | `*` | all |
/// | `corp.example`, `.corp.example`, `*.corp.example` | that name and all subdomains |
/// | `10.0.0.1`, `::1`, `[::1]` | that address |
/// | `10.0.0.0/8`, `fd00::/8` | addresses of that block |
///
/// A `:PORT` after a name, an IPv4 address or an address in brackets limits the entry to that port.
struct ProxyExemptions: Sendable {
    private enum Hosts {
        case all
        case named(String)
        case addresses(IPAddress, prefix: Int)
    }

    private struct Entry {
        let hosts: Hosts
        var port: Int?
    }

    private let entries: [Entry]

    init(_ list: String) {
        entries = list.lowercased().split { $0 == "," || $0.isWhitespace }.compactMap { Self.entry(String($0)) }
    }

    func contains(_ service: ServiceAddress) -> Bool {
        let name = service.host.hasSuffix(".") ? String(service.host.dropLast()) : service.host
        let address = IPAddress(name)
        return entries.contains { entry in
            if let port = entry.port, port != service.port { return false }
            return switch entry.hosts {
            case .all: true
            case .named(let domain): name == domain || name.hasSuffix("." + domain)
            case .addresses(let block, let prefix): address?.isIn(block, prefix: prefix) == true
            }
        }
    }

    /// - Returns: `nil` for an entry that names no host.
    private static func entry(_ text: String) -> Entry? {
        if text == "*" { return Entry(hosts: .all) }
        if let slash = text.firstIndex(of: "/") {
            guard let block = IPAddress(String(text[..<slash])), let prefix = Int(text[text.index(after: slash)...]),
                (0...block.bitCount).contains(prefix)
            else { return nil }
            return Entry(hosts: .addresses(block, prefix: prefix))
        }
        // An IPv6 address also contains colons.
        if let address = IPAddress(text) { return Entry(hosts: .addresses(address, prefix: address.bitCount)) }
        if let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) {
            guard let hosts = entry(String(text[..<colon]))?.hosts else { return nil }
            return Entry(hosts: hosts, port: port)
        }
        var name = text.hasPrefix("*.") ? text.dropFirst(2) : text.drop { $0 == "." }
        if name.hasSuffix(".") { name = name.dropLast() }
        return name.isEmpty ? nil : Entry(hosts: .named(String(name)))
    }
}

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) is normalised to IPv4.
private struct IPAddress {
    private let bytes: [UInt8]

    var bitCount: Int { bytes.count * 8 }

    /// - Parameter text: an address with or without brackets. A zone (`%eth0`) is ignored.
    init?(_ text: String) {
        var text = text[...]
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        let plain = String(text.prefix { $0 != "%" })
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, plain, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, plain, &six) == 1 {
            let all = withUnsafeBytes(of: six) { Array($0) }
            let isMapped = all.prefix(12) == [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
            bytes = isMapped ? Array(all.suffix(4)) : all
        } else {
            return nil
        }
    }

    func isIn(_ block: IPAddress, prefix: Int) -> Bool {
        guard bytes.count == block.bytes.count else { return false }
        let (whole, rest) = prefix.quotientAndRemainder(dividingBy: 8)
        guard bytes.prefix(whole) == block.bytes.prefix(whole) else { return false }
        return rest == 0 || (bytes[whole] ^ block.bytes[whole]) >> UInt8(8 - rest) == 0
    }
}
