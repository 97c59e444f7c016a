import Foundation
import Testing

@testable import FlowService
@testable import HTTPFlowService

@Suite("Addresses and proxies")
struct ConfigurationTests {
    @Test(
        "plain HTTP is allowed only to this machine, unless enabled",
        arguments: [
            "http://platform.adobe.io", "http://10.0.0.1:8080/x", "http://127.0.0.1.evil.example",
            "http://localhost.evil",
        ])
    func insecure(address: String) throws {
        #expect(throws: ConfigurationError.insecureAddress(address)) {
            try ServiceAddress(address, allowsInsecureHTTP: false)
        }
        #expect(try ServiceAddress(address, allowsInsecureHTTP: true).text == address)
    }

    @Test(
        "loopback addresses are this machine",
        arguments: [
            "http://localhost:8080", "http://127.0.0.1", "http://127.8.9.10:1/x", "http://[::1]:80", "HTTP://LOCALHOST",
        ])
    func loopback(address: String) throws {
        #expect(try ServiceAddress(address, allowsInsecureHTTP: false).isLoopback)
    }

    @Test("trailing slashes in an address are ignored")
    func slashes() throws {
        #expect(try ServiceAddress("https://a.example/b//", allowsInsecureHTTP: false).text == "https://a.example/b")
    }

    @Test(
        "an invalid address is rejected, and a password in it is not shown",
        arguments: [
            "", "platform.adobe.io", "ftp://a.example", "https://", "https:///x", "https://user:hidden@a.example",
            "https://a.example?b=c", "https://a.example#d", "https://a b.example", "https://a.example:99999",
            "https://a.example\r\nx: y", "embedded",
        ])
    func invalid(address: String) {
        let error = #expect(throws: ConfigurationError.self) { try ServiceAddress(address, allowsInsecureHTTP: true) }
        #expect(error?.description.contains("hidden") == false)
    }

    @Test("a header value with a line break is rejected before a request is sent")
    func headers() {
        for (organization, sandbox, credentials) in [
            ("a\r\nb", "prod", bearer), ("org", "", bearer), ("org", "prod", .bearer(token: "a\nb", apiKey: "key")),
        ] {
            #expect(throws: ConfigurationError.self) {
                try HTTPFlowService(
                    address: "https://a.example", organization: organization, sandbox: sandbox,
                    credentials: credentials,
                    options: .quick, logger: .quiet)
            }
        }
    }

    @Test(
        "the proxy depends on the scheme, and a lower-case variable takes precedence",
        arguments: [
            (["HTTPS_PROXY": "http://proxy.example:3128"], "proxy.example:3128"),
            (["HTTPS_PROXY": "upper.example", "https_proxy": "lower.example:8"], "lower.example:8"),
            (["https_proxy": "user:pass@proxy.example:1"], "proxy.example:1"), (["HTTP_PROXY": "proxy.example"], nil),
            (["HTTPS_PROXY": ""], nil), (["HTTPS_PROXY": "p.example", "NO_PROXY": "*"], nil),
            (["HTTPS_PROXY": "p.example", "NO_PROXY": "other.example, adobe.io"], nil),
            (["HTTPS_PROXY": "p.example", "no_proxy": ".adobe.io"], nil),
            (["HTTPS_PROXY": "p.example", "no_proxy": "platform.adobe.io:443"], nil),
            (["HTTPS_PROXY": "p.example", "no_proxy": "platform.adobe.io:80"], "p.example:80"),
            (["HTTPS_PROXY": "p.example", "NO_PROXY": "dobe.io,form.adobe.io,."], "p.example:80"),
        ] as [([String: String], String?)])
    func proxy(environment: [String: String], expected: String?) throws {
        let address = try ServiceAddress("https://platform.adobe.io/data", allowsInsecureHTTP: false)
        let proxy = try NetworkEnvironment(environment).proxy(for: address)
        #expect(proxy.map { "\($0.host):\($0.port)" } == expected)
    }

    @Test(
        "NO_PROXY is read as curl and Go read it: names, wildcards, addresses, blocks and ports",
        arguments: [
            ("10.0.0.0/8", "https://10.1.2.3", true), ("10.0.0.0/8", "https://11.1.2.3", false),
            ("10.1.2.0/23", "https://10.1.3.255", true), ("10.1.2.0/23", "https://10.1.4.0", false),
            ("0.0.0.0/0", "https://8.8.8.8", true), ("0.0.0.0/0", "https://corp", false),
            ("10.0.0.0/33", "https://10.0.0.0", false), ("fd00::/8", "https://[fd12::1]", true),
            ("fd00::/8", "https://[fe80::1]", false), ("[2001:db8::1]", "https://[2001:db8:0::1]", true),
            ("2001:db8::1", "https://[2001:db8::1]:8443", true),
            ("[2001:db8::1]:443", "https://[2001:db8::1]:8443", false),
            ("10.0.0.0/8", "https://[::ffff:10.1.2.3]", true),
            ("10.1.2.3:443", "https://10.1.2.3", true), ("10.1.2.3:80", "https://10.1.2.3", false),
            ("*.corp", "https://flows.corp", true), ("*.corp", "https://a.flows.corp:8443", true),
            ("*.corp", "https://acorp", false), ("*.corp:8443", "https://flows.corp", false),
            ("FLOWS.Corp", "https://flows.corp", true), ("flows.corp.", "https://flows.corp", true),
            ("flows.corp", "https://flows.corp.", true), ("other,\tflows.corp", "https://flows.corp", true),
            ("*corp", "https://flows.corp", false), ("*", "https://10.1.2.3", true),
            (":443,.,*.", "https://a.b", false),
        ])
    func exemptions(list: String, address: String, isExempt: Bool) throws {
        let address = try ServiceAddress(address, allowsInsecureHTTP: false)
        let proxy = try NetworkEnvironment(["HTTPS_PROXY": "p.example", "NO_PROXY": list]).proxy(for: address)
        #expect((proxy == nil) == isExempt)
    }

    @Test("this machine is never reached through a proxy")
    func loopbackProxy() throws {
        let address = try ServiceAddress("http://127.0.0.1:80", allowsInsecureHTTP: false)
        #expect(try NetworkEnvironment(["HTTP_PROXY": "p.example"]).proxy(for: address) == nil)
    }

    @Test(
        "an invalid proxy is rejected with the name of its variable, but not its value",
        arguments: ["socks5://a:hidden@b", "http://", "https://p"])
    func invalidProxy(value: String) throws {
        let address = try ServiceAddress("https://a.example", allowsInsecureHTTP: false)
        #expect(throws: ConfigurationError.invalidProxy(variable: "HTTPS_PROXY")) {
            try NetworkEnvironment(["HTTPS_PROXY": value]).proxy(for: address)
        }
    }

    @Test("a missing SSL_CERT_FILE is an error, not an empty set of certificate authorities")
    func certificates() {
        func reason(_ variables: [String: String]) -> String {
            do throws(ConfigurationError) {
                _ = try NetworkEnvironment(variables)
                return ""
            } catch { return error.description }
        }
        #expect(reason(["SSL_CERT_FILE": "/nowhere.pem"]).hasSuffix("/nowhere.pem: No such file or directory"))
        #expect(reason(["SSL_CERT_FILE": "/dev/null"]).contains("no certificate in PEM form"))
        #expect(reason(["SSL_CERT_DIR": "/nowhere:/proc/self/fdinfo"]).contains("SSL_CERT_DIR=/nowhere:/proc"))
    }

    @Test("the authorities of SSL_CERT_FILE and of all folders of SSL_CERT_DIR are trusted together")
    func folders() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "authorities-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = try TestCertificate().path
        try FileManager.default.copyItem(atPath: file, toPath: folder.appending(path: "company.pem").path)
        try FileManager.default.createSymbolicLink(
            atPath: folder.appending(path: "5ed36f99.0").path, withDestinationPath: "company.pem")
        try Data("no certificate".utf8).write(to: folder.appending(path: "README"))
        func count(_ variables: [String: String]) throws -> Int? {
            try NetworkEnvironment.authorities(variables)?.count
        }
        #expect(try count(["SSL_CERT_DIR": "/nowhere:\(folder.path)"]) == 1)
        #expect(try count(["SSL_CERT_DIR": folder.path, "SSL_CERT_FILE": file]) == 2)
        #expect(try count(["SSL_CERT_DIR": "", "SSL_CERT_FILE": ""]) == nil)
    }
}
