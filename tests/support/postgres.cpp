#include "support/postgres.hpp"

#include "base/identifiers.hpp"
#include "support/server_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <thread>

namespace openrd::tests {
namespace {

constexpr std::chrono::milliseconds between_looks{5};
constexpr int patience_s = 60;

std::string program(const std::string& name) { return "/usr/lib/postgresql/15/bin/" + name; }

bool eventually(const std::function<bool()>& condition, int seconds = patience_s) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Result = std::unique_ptr<PGresult, Finish>;

std::vector<PostgresCluster::Row> ask_at(const std::string& url, const std::string& sql) {
    const Connection connection(PQconnectdb(url.c_str()));
    PQsetNoticeProcessor(
        connection.get(), [](void*, const char*) {}, nullptr);
    if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
    const Result result(PQexec(connection.get(), sql.c_str()));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQresultErrorMessage(result.get()));
    std::vector<PostgresCluster::Row> rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        auto& fields = rows.emplace_back();
        for (int column = 0; column < PQnfields(result.get()); ++column) fields.emplace_back(PQgetvalue(result.get(), row, column));
    }
    return rows;
}

std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
    return result + "'";
}

// The children of a process, as the kernel lists them.
std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> result;
    const std::string text = file_text(fmt::format("/proc/{}/task/{}/children", parent, parent));
    for (const char *at = text.data(), *end = at + text.size(); at < end;) {
        pid_t pid = 0;
        const auto [next, error] = std::from_chars(at, end, pid);
        if (error == std::errc()) result.push_back(pid);
        at = next + 1;
    }
    return result;
}

}  // namespace

std::string PostgresCluster::missing() {
    for (const char* name : {"initdb", "postgres", "pg_basebackup"})
        if (access(program(name).c_str(), X_OK) != 0) return "no PostgreSQL here: " + program(name) + " is missing (Debian: postgresql-15)";
    return {};
}

PostgresCluster& PostgresCluster::shared() {
    static PostgresCluster cluster;
    return cluster;
}

PostgresCluster::PostgresCluster(PostgresOptions options) : directory_(server_directory("openrd-postgres")), password_(base::identifier("", 20)) {
    const std::string password_file = directory_ + "/password";
    std::ofstream(password_file) << password_ << '\n';
    const auto& owner = server_owner();
    if (owner.another && chown(password_file.c_str(), owner.uid, owner.gid) != 0) throw std::runtime_error("chown failed");
    run_process({program("initdb"), "--pgdata=" + data(), "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--pwfile=" + password_file, "--no-sync"},
                directory_);
    configure(options.fsync, options.settings);
    start_somewhere();
    ask("postgres", fmt::format("CREATE ROLE openrd LOGIN PASSWORD '{}'", password_));
}

PostgresCluster::PostgresCluster(FollowTag, PostgresCluster& primary) : directory_(server_directory("openrd-postgres")), password_(primary.password_) {
    run_process({program("pg_basebackup"), "--pgdata=" + data(), "--wal-method=stream", "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
                 "--dbname=" + primary.admin_url("postgres") + "?application_name=follower"},
                directory_);
    std::ofstream(data() + "/postgresql.conf", std::ios::app) << "unix_socket_directories = '" << directory_ << "'\n";
    start_somewhere();
}

PostgresCluster::~PostgresCluster() {
    if (pid_ != 0) {
        kill(pid_, SIGQUIT);
        if (!wait_for_end(10)) crash();
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void PostgresCluster::configure(bool fsync, const std::vector<std::string>& settings) const {
    std::ofstream file(data() + "/postgresql.conf", std::ios::app);
    file << "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" << directory_ << "'\nmax_connections = 200\nshared_buffers = 64MB\ntimezone = UTC\nlog_timezone = UTC\n";
    if (!fsync) file << "fsync = off\nfull_page_writes = off\n";
    for (const auto& line : settings) file << line << '\n';
}

void PostgresCluster::start_somewhere() {
    // Between the look for a free port and its use another may take it.
    for (int tries = 0; tries < 5; ++tries) {
        port_ = free_port();
        if (start_once()) return;
    }
    throw std::runtime_error("PostgreSQL does not start:\n" + log_tail(directory_));
}

bool PostgresCluster::start_once() {
    pid_ = start_process({program("postgres"), "-D", data(), "-p", std::to_string(port_)}, directory_);
    const std::string url = admin_url("postgres");
    bool ready = false;
    const bool looked = eventually([&] { return (ready = PQping(url.c_str()) == PQPING_OK) || !running(); });
    if (!looked) crash();
    return ready && running();
}

bool PostgresCluster::running() {
    int status = 0;
    if (pid_ != 0 && waitpid(pid_, &status, WNOHANG) == pid_) pid_ = 0;
    return pid_ != 0;
}

bool PostgresCluster::wait_for_end(int seconds) {
    return eventually([&] { return !running(); }, seconds);
}

void PostgresCluster::start() {
    if (running()) return;
    // What a killed server shared is given back only when the last of its processes has gone.
    for (int tries = 0; tries < 20; ++tries) {
        if (start_once()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    throw std::runtime_error("PostgreSQL does not start again:\n" + log_tail(directory_));
}

void PostgresCluster::stop() {
    if (!running()) return;
    kill(pid_, SIGINT);
    if (wait_for_end(patience_s)) return;
    crash();
    throw std::runtime_error("PostgreSQL does not stop:\n" + log_tail(directory_));
}

void PostgresCluster::crash() {
    if (!running()) return;
    kill(pid_, SIGSTOP);  // so that it starts no more of them
    for (const pid_t child : children_of(pid_)) kill(child, SIGKILL);
    kill(pid_, SIGKILL);
    wait_for_end(patience_s);
}

std::unique_ptr<PostgresCluster> PostgresCluster::synchronous_standby() {
    std::unique_ptr<PostgresCluster> standby(new PostgresCluster(FollowTag{}, *this));
    set("synchronous_standby_names", "follower");
    if (!eventually([&] { return ask_one("postgres", "SELECT sync_state FROM pg_stat_replication WHERE application_name = 'follower'") == "sync"; }))
        throw std::runtime_error("the standby does not follow:\n" + standby->log());
    return standby;
}

void PostgresCluster::promote() {
    ask("postgres", "SELECT pg_promote(true, 60)");
    if (!eventually([&] { return ask_one("postgres", "SELECT pg_is_in_recovery()") == "f"; })) throw std::runtime_error("the standby is not promoted:\n" + log());
}

std::string PostgresCluster::url(std::string_view database) const { return url(database, port_); }

std::string PostgresCluster::url(std::string_view database, int port) const { return fmt::format("postgresql://openrd:{}@127.0.0.1:{}/{}", password_, port, database); }

std::string PostgresCluster::url(std::string_view database, int one_port, int other_port, const PostgresCluster& of) {
    return fmt::format("postgresql://openrd:{}@127.0.0.1:{},127.0.0.1:{}/{}?target_session_attrs=read-write", of.password_, one_port, other_port, database);
}

std::string PostgresCluster::admin_url(std::string_view database) const { return fmt::format("postgresql://postgres:{}@127.0.0.1:{}/{}", password_, port_, database); }

std::vector<PostgresCluster::Row> PostgresCluster::ask(std::string_view database, const std::string& sql) { return ask_at(admin_url(database), sql); }

std::string PostgresCluster::ask_one(std::string_view database, const std::string& sql) {
    const auto rows = ask(database, sql);
    return rows.empty() || rows.front().empty() ? std::string() : rows.front().front();
}

void PostgresCluster::set(const std::string& name, const std::string& value) {
    ask("postgres", "ALTER SYSTEM SET " + name + " = " + quoted(value));
    ask("postgres", "SELECT pg_reload_conf()");
}

void PostgresCluster::create_database(const std::string& name, const std::string& like, const std::string& more) {
    ask("postgres", fmt::format("CREATE DATABASE {} OWNER openrd TEMPLATE {} {}", name, like, more));
}

void PostgresCluster::drop_database(const std::string& name) { ask("postgres", fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)); }

void PostgresCluster::pretend_full_disk(const std::string& database, bool full) {
    ask(database,
        "CREATE OR REPLACE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$");
    for (const auto& table : ask(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) {
        ask(database, fmt::format("DROP TRIGGER IF EXISTS full_disk ON {}", table.front()));
        if (full) ask(database, fmt::format("CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {} EXECUTE FUNCTION disk_is_full()", table.front()));
    }
}

std::string PostgresCluster::log() const { return file_text(directory_ + "/log"); }

PostgresDatabase::PostgresDatabase(PostgresCluster& cluster) : cluster_(cluster) {
    if (auto& used = cluster.emptied_; !used.empty()) {
        name_ = used.back();
        used.pop_back();
        return;
    }
    name_ = "t" + base::random_digits(12);
    cluster_.create_database(name_);
}

PostgresDatabase::~PostgresDatabase() {
    // To make one costs half a second, to empty one a few milliseconds.
    try {
        cluster_.ask("postgres", fmt::format("ALTER DATABASE {} RESET ALL", name_));
        cluster_.ask(name_, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        cluster_.ask(name_, "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner");
        cluster_.emptied_.push_back(name_);
    } catch (const std::exception&) {
        // The server is down: the database goes with its cluster.
    }
}

}  // namespace openrd::tests
