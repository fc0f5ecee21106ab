#include "gateways/kannel.hpp"

#include "support/server_process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace openrd::tests {
namespace {

constexpr const char *bearerbox = "/usr/sbin/bearerbox", *smsbox = "/usr/sbin/smsbox", *setpriv = "/usr/bin/setpriv";

void replace_all(std::string& text, const std::string& what, const std::string& with) {
    std::size_t found = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()), ++found) text.replace(at, what.size(), with);
    if (found == 0) throw std::runtime_error("packaging/kannel.conf has no " + what + " any more");
}

bool listens(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool yes = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return yes;
}

void wait_for(int port, pid_t process, const std::string& directory) {
    for (int i = 0; i < 600; ++i) {
        if (listens(port)) return;
        int status = 0;
        if (::waitpid(process, &status, WNOHANG) == process) throw std::runtime_error("Kannel has ended: " + log_tail(directory));
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("Kannel does not listen: " + log_tail(directory));
}

void end(pid_t& process) {
    if (process <= 0) return;
    ::kill(process, SIGKILL);
    ::waitpid(std::exchange(process, 0), nullptr, 0);
}

void make_table_of_receipts(const std::string& path) {
    sqlite3* database = nullptr;
    const bool made = sqlite3_open(path.c_str(), &database) == SQLITE_OK &&
                      sqlite3_exec(database, "create table dlr(smsc text, ts text, source text, destination text, service text, url text, mask int, status int, boxc text)",
                                   nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(database);
    const auto& owner = server_owner();
    if (!made || (owner.another && ::chown(path.c_str(), owner.uid, owner.gid) != 0)) throw std::runtime_error("no database for Kannel's receipts");
}

}  // namespace

std::string Kannel::missing() {
    for (const auto* program : {bearerbox, smsbox, setpriv})
        if (::access(program, X_OK) != 0) return std::string(program) + " is not there (Debian: kannel, kannel-extras)";
    return {};
}

Kannel::Kannel(int smsc_port) : directory_(server_directory("openrd-kannel")), sendsms_port_(free_port()) {
    const int smsbox_port = free_port();
    auto text = file_text("packaging/kannel.conf");
    const std::pair<std::string, std::string> changes[] = {{"admin-port = 13000", "admin-port = " + std::to_string(free_port())},
                                                           {"smsbox-port = 13001", "smsbox-port = " + std::to_string(smsbox_port)},
                                                           {"sendsms-port = 13013", "sendsms-port = " + std::to_string(sendsms_port_)},
                                                           {"port = 2775", "port = " + std::to_string(smsc_port)},
                                                           {"/var/log/kannel", directory_},
                                                           {"/var/lib/kannel", directory_},
                                                           {"CHANGE-ME-3", password},
                                                           {"CHANGE-ME-4", smsc_password},
                                                           {"reconnect-delay = 10", "reconnect-delay = 1"},
                                                           {"wait-ack = 30", "wait-ack = 2"},
                                                           {"throughput = 20\n", "throughput = 2000\n"},
                                                           {"http-queue-delay = 5", "http-queue-delay = 1"}};
    for (const auto& [what, with] : changes) replace_all(text, what, with);
    std::ofstream(directory_ + "/kannel.conf") << text;
    make_table_of_receipts(directory_ + "/dlr.db");
    // They do not end by the signal that start_process asks for.
    const auto start = [&](const char* program) { return start_process({setpriv, "--pdeathsig", "KILL", program, "-v", "4", directory_ + "/kannel.conf"}, directory_); };
    bearerbox_ = start(bearerbox);
    try {
        wait_for(smsbox_port, bearerbox_, directory_);
        smsbox_ = start(smsbox);
        wait_for(sendsms_port_, smsbox_, directory_);
    } catch (...) {
        end(smsbox_);
        end(bearerbox_);
        throw;
    }
}

Kannel::~Kannel() {
    end(smsbox_);
    end(bearerbox_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void Kannel::stop_smsbox() { end(smsbox_); }

std::string Kannel::written() const {
    std::string all;
    for (const auto& file : std::filesystem::recursive_directory_iterator(directory_))
        if (file.is_regular_file() && file.path().filename().string().find("dlr.db") == std::string::npos) all += file_text(file.path());
    return all;
}

}  // namespace openrd::tests
