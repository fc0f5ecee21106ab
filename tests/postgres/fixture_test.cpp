// What the other tests here stand on: the clusters, and the bad line before them.
#include "support/cut_proxy.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>
#include <libpq-fe.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

namespace openrd::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;

Connection connected(const std::string& url) { return Connection(PQconnectdb(url.c_str())); }

bool works(const Connection& connection, const char* sql) {
    const std::unique_ptr<PGresult, Finish> result(PQexec(connection.get(), sql));
    const auto status = PQresultStatus(result.get());
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

class ThrowawayPostgres : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
    }
};

TEST_F(ThrowawayPostgres, GivesEachTestADatabaseOfItsOwnInByteOrder) {
    const PostgresDatabase one, other;
    EXPECT_NE(one.name(), other.name());
    const auto connection = connected(one.url());
    ASSERT_TRUE(works(connection, "CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('a'), ('B'), ('Z')")) << PQerrorMessage(connection.get());
    EXPECT_EQ(one.cluster().ask_one(one.name(), "SELECT string_agg(b, '' ORDER BY b) FROM a"), "BZa");
    EXPECT_EQ(one.cluster().ask_one(one.name(), "SELECT current_setting('server_encoding') || ' ' || datcollate FROM pg_database WHERE datname = current_database()"), "UTF8 C");
    EXPECT_THROW(other.cluster().ask(other.name(), "SELECT 1 FROM a"), std::runtime_error);
}

TEST_F(ThrowawayPostgres, LetsTheTestedRoleOwnItsDatabaseAndNothingElse) {
    const PostgresDatabase database;
    EXPECT_EQ(database.cluster().ask_one("postgres", "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'openrd'"), "f");
    EXPECT_FALSE(works(connected(database.url()), "CREATE DATABASE more"));
}

TEST_F(ThrowawayPostgres, KeepsWhatWasCommittedThroughAStopAndACrash) {
    PostgresCluster cluster({.fsync = true});
    const PostgresDatabase database(cluster);
    cluster.ask(database.name(), "CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('stays')");
    cluster.restart();
    EXPECT_EQ(cluster.ask_one(database.name(), "SELECT b FROM a"), "stays");
    cluster.crash();
    EXPECT_FALSE(cluster.running());
    cluster.start();
    EXPECT_EQ(cluster.ask_one(database.name(), "SELECT b FROM a"), "stays");
}

TEST_F(ThrowawayPostgres, IsFollowedByAStandbyThatCanTakeItsPlace) {
    PostgresCluster primary;
    const auto standby = primary.synchronous_standby();
    const PostgresDatabase database(primary);
    primary.ask(database.name(), "CREATE TABLE a (b TEXT); INSERT INTO a VALUES ('here as well')");
    const auto either = PostgresCluster::url("postgres", primary.port(), standby->port(), primary);
    EXPECT_EQ(PQport(connected(either).get()), std::to_string(primary.port()));
    primary.crash();
    standby->promote();
    EXPECT_EQ(standby->ask_one(database.name(), "SELECT b FROM a"), "here as well");
    const auto connection = connected(either);
    EXPECT_EQ(PQport(connection.get()), std::to_string(standby->port())) << PQerrorMessage(connection.get());
}

TEST_F(ThrowawayPostgres, CanActAsIfItsDiskWereFull) {
    const PostgresDatabase database;
    const auto connection = connected(database.url());
    ASSERT_TRUE(works(connection, "CREATE TABLE a (b TEXT)"));
    database.cluster().pretend_full_disk(database.name(), true);
    EXPECT_FALSE(works(connection, "INSERT INTO a VALUES ('x')"));
    EXPECT_THAT(PQerrorMessage(connection.get()), HasSubstr("No space left on device"));
    EXPECT_TRUE(works(connection, "SELECT b FROM a"));
    database.cluster().pretend_full_disk(database.name(), false);
    EXPECT_TRUE(works(connection, "INSERT INTO a VALUES ('x')"));
}

TEST_F(ThrowawayPostgres, EndsWithTheProcessThatStartedIt) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        const PostgresCluster cluster;
        const int port = cluster.port();
        if (write(pipe_ends[1], &port, sizeof port) != sizeof port) _exit(1);
        kill(getpid(), SIGKILL);
    }
    close(pipe_ends[1]);
    int port = 0;
    ASSERT_EQ(read(pipe_ends[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));
    close(pipe_ends[0]);
    waitpid(child, nullptr, 0);
    const std::string url = "host=127.0.0.1 user=postgres dbname=postgres port=" + std::to_string(port);
    PGPing answer = PQPING_OK;
    for (int i = 0; i < 6000 && answer != PQPING_NO_RESPONSE; ++i, usleep(5000)) answer = PQping(url.c_str());
    EXPECT_EQ(answer, PQPING_NO_RESPONSE);
}

class BadLine : public ThrowawayPostgres {};

TEST_F(BadLine, ForwardsWhatNobodyCuts) {
    const PostgresDatabase database;
    CutProxy proxy(database.cluster().port());
    const auto connection = connected(database.cluster().url(database.name(), proxy.port()));
    ASSERT_EQ(PQstatus(connection.get()), CONNECTION_OK) << PQerrorMessage(connection.get());
    EXPECT_TRUE(works(connection, "SELECT repeat('x', 1000000)"));
    EXPECT_GT(proxy.bytes(From::server), 1'000'000U);
    EXPECT_EQ(proxy.connections(), 1U);
    EXPECT_EQ(proxy.cuts(), 0U);
}

TEST_F(BadLine, CutsBeforeAMessageOrBehindIt) {
    const PostgresDatabase database;
    CutProxy proxy(database.cluster().port());
    const auto commit = [](const ProxiedMessage& message) { return message.from == From::client && message.bytes.find("COMMIT") != std::string_view::npos; };
    const auto url = database.cluster().url(database.name(), proxy.port());
    database.cluster().ask(database.name(), "CREATE TABLE a (b TEXT); GRANT ALL ON a TO openrd");
    proxy.decide([&](const ProxiedMessage& message) { return commit(message) ? cut_before : pass; });
    EXPECT_FALSE(works(connected(url), "BEGIN; INSERT INTO a VALUES ('lost'); COMMIT"));
    proxy.decide([&](const ProxiedMessage& message) {
        return message.from == From::server && message.type == 'C' && message.bytes.find("COMMIT") != std::string_view::npos ? cut_before : pass;
    });
    EXPECT_FALSE(works(connected(url), "BEGIN; INSERT INTO a VALUES ('kept'); COMMIT"));
    EXPECT_EQ(database.cluster().ask_one(database.name(), "SELECT string_agg(b, ',') FROM a"), "kept");
    EXPECT_EQ(proxy.cuts(), 2U);
}

TEST_F(BadLine, CutsBehindANumberOfBytesOnce) {
    const PostgresDatabase database;
    CutProxy proxy(database.cluster().port());
    const auto url = database.cluster().url(database.name(), proxy.port());
    ASSERT_EQ(PQstatus(connected(url).get()), CONNECTION_OK);
    const auto whole = proxy.bytes(From::server);
    for (const std::uint64_t bytes : {std::uint64_t{1}, whole / 2, whole - 1}) {
        const auto before = proxy.bytes(From::server);
        proxy.cut_after_bytes(From::server, bytes);
        EXPECT_EQ(PQstatus(connected(url).get()), CONNECTION_BAD) << bytes;
        EXPECT_EQ(proxy.bytes(From::server), before + bytes);
        EXPECT_EQ(PQstatus(connected(url).get()), CONNECTION_OK) << "only once";
    }
}

TEST_F(BadLine, StandsStillAndRefusesWhenItIsTold) {
    const PostgresDatabase database;
    CutProxy proxy(database.cluster().port());
    const auto url = database.cluster().url(database.name(), proxy.port());
    proxy.stall(true);
    EXPECT_EQ(PQstatus(connected(url + "?connect_timeout=2").get()), CONNECTION_BAD);
    proxy.stall(false);
    const auto connection = connected(url);
    EXPECT_TRUE(works(connection, "SELECT 1"));
    proxy.refuse(true);
    EXPECT_EQ(PQstatus(connected(url).get()), CONNECTION_BAD);
    EXPECT_TRUE(works(connection, "SELECT 1"));
    proxy.cut_all();
    EXPECT_FALSE(works(connection, "SELECT 1"));
    proxy.refuse(false);
    EXPECT_TRUE(works(connected(url), "SELECT 1"));
}

}  // namespace
}  // namespace openrd::tests
