#include "net/tls.hpp"

#include "net/testing_server.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace openrd::net {
namespace {

// A certificate that signs itself, and its key, as files.
void write_certificate(const std::string& folder, const char* name) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    auto* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* file = std::fopen((folder + "/cert.pem").c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen((folder + "/key.pem").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    ::chmod((folder + "/key.pem").c_str(), 0600);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

// A client that blocks. What it offers can be changed before connect().
class TlsClient {
  public:
    explicit TlsClient(std::uint16_t port) : context_(SSL_CTX_new(TLS_client_method())), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
        if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("no connection");
        ssl_ = SSL_new(context_);
        SSL_set_fd(ssl_, socket_);
    }
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;
    ~TlsClient() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
        ::close(socket_);
    }

    SSL* ssl() const { return ssl_; }
    int socket() const { return socket_; }
    bool connect() const {
        const bool done = SSL_connect(ssl_) == 1;
        ERR_clear_error();
        return done;
    }
    bool send(std::string_view bytes) const {
        const bool sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
        ERR_clear_error();
        return sent;
    }
    // As much as there is until the server ends it; `ended_properly`: with a notice, so that nothing was cut off.
    std::string read_to_end() {
        std::string all;
        std::array<char, 16384> bytes{};
        int count = 0;
        while ((count = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()))) > 0) all.append(bytes.data(), static_cast<std::size_t>(count));
        ended_properly = SSL_get_error(ssl_, count) == SSL_ERROR_ZERO_RETURN;
        ERR_clear_error();
        return all;
    }
    std::string read_some() const {
        std::array<char, 16384> bytes{};
        const int count = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        ERR_clear_error();
        return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : "";
    }
    std::string server_name() const {
        std::array<char, 64> name{};
        X509* certificate = SSL_get1_peer_certificate(ssl_);
        if (certificate) X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(), static_cast<int>(name.size()));
        X509_free(certificate);
        return name.data();
    }

    bool ended_properly = false;

  private:
    SSL_CTX* context_;
    int socket_;
    SSL* ssl_ = nullptr;
};

class TlsTest : public ServerTest {
  protected:
    TlsTest() {
        std::signal(SIGPIPE, SIG_IGN);
        std::string path = ::testing::TempDir() + "tls_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        folder = path;
        write_certificate(folder, "first");
    }
    ~TlsTest() override {
        server.reset();
        std::filesystem::remove_all(folder);
    }
    std::string certificate_file() const { return folder + "/cert.pem"; }
    std::string key_file() const { return folder + "/key.pem"; }

    std::uint16_t start_tls() {
        tls = std::make_unique<TlsContext>(certificate_file(), key_file());
        server = std::make_unique<Server>(Listen{"127.0.0.1", 0}, handler, settings, clock, [] {});
        server->listen_tls({"127.0.0.1", 0}, *tls);
        server->start();
        return server->encrypted()->port;
    }
    static std::string ask(TlsClient& one, std::string_view request = closing_get) {
        if (!one.connect() || !one.send(request)) return "";
        return one.read_to_end();
    }
    std::string why_refused() const {
        try {
            const TlsContext context(certificate_file(), key_file());
        } catch (const std::runtime_error& error) { return error.what(); }
        return "taken";
    }

    std::string folder;
    std::unique_ptr<TlsContext> tls;
};

TEST_F(TlsTest, ServesBesidePlainHttp) {
    handler.on_request([](const pipeline::Request& request, const pipeline::Done& done) {
        pipeline::Response response;
        response.body = request.tls ? "tls" : "plain";
        done(std::move(response));
    });
    TlsClient one(start_tls());
    EXPECT_EQ(body_of(ask(one)), "tls");
    EXPECT_TRUE(one.ended_properly);
    EXPECT_EQ(body_of(exchange(closing_get)), "plain");
    EXPECT_NE(server->plain()->port, server->encrypted()->port);
}

TEST_F(TlsTest, ServesAlone) {
    tls = std::make_unique<TlsContext>(certificate_file(), key_file());
    server = std::make_unique<Server>(std::nullopt, handler, settings, clock, [] {});
    server->listen_tls({"127.0.0.1", 0}, *tls);
    server->start();
    TlsClient one(server->port());
    EXPECT_EQ(status_of(ask(one)), 200);
    EXPECT_FALSE(server->plain());
}

TEST_F(TlsTest, KeepsConnectionsAlive) {
    TlsClient one(start_tls());
    ASSERT_TRUE(one.connect());
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(one.send(plain_get));
        ASSERT_EQ(status_of(one.read_some()), 200) << i;
    }
    EXPECT_EQ(handler.handled, 20);
}

TEST_F(TlsTest, CarriesLargeBodiesBothWays) {
    handler.on_request([](const pipeline::Request& request, const pipeline::Done& done) {
        pipeline::Response response;
        response.body = std::string(request.body) + std::string(8 * 1024 * 1024, 'y');  // more than a socket holds
        done(std::move(response));
    });
    TlsClient one(start_tls());
    ASSERT_TRUE(one.connect());
    const std::string body(900 * 1024, 'x');
    ASSERT_TRUE(one.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n"));
    ASSERT_TRUE(one.send(body));
    EXPECT_EQ(body_of(one.read_to_end()).size(), body.size() + 8 * 1024 * 1024);
    EXPECT_TRUE(one.ended_properly);
}

TEST_F(TlsTest, SaysContinue) {
    TlsClient one(start_tls());
    ASSERT_TRUE(one.connect());
    ASSERT_TRUE(one.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    EXPECT_EQ(one.read_some(), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(one.send("ab"));
    EXPECT_EQ(status_of(one.read_to_end()), 200);
}

TEST_F(TlsTest, AnswersFromOtherThreads) {
    handler.on_request([](const pipeline::Request&, const pipeline::Done& done) { std::thread([done] { done({}); }).detach(); });
    TlsClient one(start_tls());
    EXPECT_EQ(status_of(ask(one)), 200);
}

TEST_F(TlsTest, SpeaksTls12And13AndNothingOlder) {
    const auto port = start_tls();
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient one(port);
        SSL_set_min_proto_version(one.ssl(), version);
        SSL_set_max_proto_version(one.ssl(), version);
        EXPECT_EQ(status_of(ask(one)), 200) << version;
    }
    TlsClient old(port);
    SSL_set_security_level(old.ssl(), 0);
    SSL_set_min_proto_version(old.ssl(), TLS1_VERSION);
    SSL_set_max_proto_version(old.ssl(), TLS1_1_VERSION);
    EXPECT_FALSE(old.connect());
}

TEST_F(TlsTest, TakesNoCipherWithoutForwardSecrecy) {
    const auto port = start_tls();
    for (const char* cipher : {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "aNULL"}) {
        TlsClient one(port);
        SSL_set_security_level(one.ssl(), 0);
        SSL_set_max_proto_version(one.ssl(), TLS1_2_VERSION);
        SSL_set_cipher_list(one.ssl(), cipher);
        EXPECT_FALSE(one.connect()) << cipher;
    }
}

TEST_F(TlsTest, ChoosesHttp11AndRefusesThoseWhoOnlySpeakOtherwise) {
    const auto port = start_tls();
    constexpr std::array<unsigned char, 12> both = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    TlsClient one(port);
    SSL_set_alpn_protos(one.ssl(), both.data(), both.size());
    ASSERT_TRUE(one.connect());
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(one.ssl(), &chosen, &length);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), length), "http/1.1");
    TlsClient other(port);
    SSL_set_alpn_protos(other.ssl(), both.data(), 3);
    EXPECT_FALSE(other.connect());
}

TEST_F(TlsTest, ClosesWhoDoesNotFinishTheHandshakeInTime) {
    settings.http.header_time_ms = 100;
    const TlsClient silent(start_tls());
    std::array<char, 8> bytes{};
    EXPECT_EQ(::recv(silent.socket(), bytes.data(), bytes.size(), 0), 0);
    wait_for_connections(0);
}

TEST_F(TlsTest, ClosesWhoDoesNotSpeakTls) {
    Client plain(start_tls());
    plain.send(plain_get);
    EXPECT_EQ(plain.read_to_end().find("HTTP/1.1"), std::string::npos);
    wait_for_connections(0);
    EXPECT_EQ(handler.handled, 0);
}

TEST_F(TlsTest, TakesACutConnectionForCut) {
    const TlsClient one(start_tls());
    ASSERT_TRUE(one.connect());
    ASSERT_TRUE(one.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"));
    ::shutdown(one.socket(), SHUT_WR);  // no notice of an end
    wait_for_connections(0);
    EXPECT_EQ(handler.handled, 0);
}

TEST_F(TlsTest, RefusesASlowBodyWith408) {
    settings.http.body_time_ms = 100;
    TlsClient one(start_tls());
    ASSERT_TRUE(one.connect());
    ASSERT_TRUE(one.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"));
    EXPECT_EQ(status_of(one.read_to_end()), 408);
    EXPECT_TRUE(one.ended_properly);
}

TEST_F(TlsTest, DrainsWithTheAnswerThatIsUnderWay) {
    Gate gate;
    Gate begun;
    handler.on_request([&](const pipeline::Request& request, const pipeline::Done& done) {
        begun.open();
        std::thread([&gate, done, answer = Echo::echo(request)] {
            gate.wait();
            done(answer);
        }).detach();
    });
    TlsClient one(start_tls());
    ASSERT_TRUE(one.connect());
    ASSERT_TRUE(one.send(plain_get));
    begun.wait();
    std::thread draining([this] { server->drain(30'000); });
    gate.open();
    EXPECT_EQ(status_of(one.read_to_end()), 200);
    draining.join();
}

TEST_F(TlsTest, ReadsANewCertificateWhileItServes) {
    const auto port = start_tls();
    const TlsClient before(port);
    ASSERT_TRUE(before.connect());
    EXPECT_EQ(before.server_name(), "first");
    write_certificate(folder, "second");
    tls->reload();
    const TlsClient after(port);
    ASSERT_TRUE(after.connect());
    EXPECT_EQ(after.server_name(), "second");
    ASSERT_TRUE(before.send(plain_get)) << "who is connected stays so";
    EXPECT_EQ(status_of(before.read_some()), 200);
}

TEST_F(TlsTest, KeepsTheOldCertificateWhenTheNewOneIsBad) {
    const auto port = start_tls();
    std::ofstream(certificate_file(), std::ios::trunc) << "no certificate";
    EXPECT_THROW(tls->reload(), std::runtime_error);
    const TlsClient one(port);
    ASSERT_TRUE(one.connect());
    EXPECT_EQ(one.server_name(), "first");
    EXPECT_GT(tls->expires_at_s(), 0);
}

TEST_F(TlsTest, RefusesFilesThatItCannotUse) {
    EXPECT_EQ(why_refused(), "taken");
    ::chmod(key_file().c_str(), 0644);
    EXPECT_NE(why_refused().find("others may read"), std::string::npos);
    ::chmod(key_file().c_str(), 0600);
    std::filesystem::create_directory(folder + "/other");
    write_certificate(folder + "/other", "other");
    std::filesystem::copy_file(folder + "/other/key.pem", key_file(), std::filesystem::copy_options::overwrite_existing);
    EXPECT_NE(why_refused().find("key.pem"), std::string::npos) << why_refused();
    std::filesystem::remove(certificate_file());
    EXPECT_NE(why_refused().find("No such file"), std::string::npos) << why_refused();
    std::filesystem::remove(key_file());
    EXPECT_NE(why_refused().find("No such file"), std::string::npos) << why_refused();
}

}  // namespace
}  // namespace openrd::net
