// What goes into an engine comes out of it, in the order and by the comparisons that all engines share: bytes.
#include "store/engines.hpp"
#include "store/facts.hpp"
#include "store/rates.hpp"
#include "store/subjects.hpp"
#include "store/tags.hpp"

#include <algorithm>

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

ON_EVERY_ENGINE(Values);

// In the order of their bytes, which is that of code points.
const std::vector<std::string> texts = {"",
                                        " ",
                                        "  ",
                                        "!",
                                        "'",
                                        "''",
                                        "-",
                                        "0",
                                        "10",
                                        "9",
                                        "A",
                                        "Abc",
                                        "B",
                                        "Z",
                                        "\\",
                                        "\\x41",
                                        "_",
                                        "a",
                                        "a b",
                                        "a\nb",
                                        "a-b",
                                        "aB",
                                        "ab",
                                        "b",
                                        "e\xCC\x81",
                                        "z",
                                        "~",
                                        "\x7F",
                                        "\xC3\x84",
                                        "\xC3\x9F",
                                        "\xC3\xA9",
                                        "\xC4\xB0",
                                        "\xE4\xB8\xAD\xE6\x96\x87",
                                        "\xEF\xBF\xBD",
                                        "\xF0\x9F\x98\x80",
                                        "\xF4\x8F\xBF\xBF"};

TEST_P(Values, TextsComeBackAsTheyWent) {
    auto sorted = texts;
    std::ranges::sort(sorted);
    for (const auto& text : texts) {
        write([&](db::Transaction& tx) { store::put_fact(tx, "text", text); });
        EXPECT_EQ(read([](db::Transaction& tx) { return store::find_fact(tx, "text"); }), text);
    }
}

TEST_P(Values, TextsAreComparedByTheirBytesNeverByCaseOrComposition) {
    write([](db::Transaction& tx) {
        for (const auto& text : texts) store::put_fact(tx, text, "of " + text);
    });
    read([](db::Transaction& tx) {
        for (const auto& text : texts) EXPECT_EQ(store::find_fact(tx, text), "of " + text);
        EXPECT_EQ(store::find_fact(tx, "z "), std::nullopt);
        EXPECT_EQ(store::find_fact(tx, "\xC3\xA4"), std::nullopt) << "another case";
        EXPECT_EQ(store::find_fact(tx, "\xC3\x89"), std::nullopt) << "another case";
        EXPECT_EQ(store::find_fact(tx, "E\xCC\x81"), std::nullopt) << "another case";
    });
}

TEST_P(Values, TextsAreSortedAndPagedByTheirBytes) {
    static constexpr db::Sql all{"SELECT name FROM facts ORDER BY name"}, backward{"SELECT name FROM facts ORDER BY name DESC"},
        behind{"SELECT name FROM facts WHERE name > $1 ORDER BY name LIMIT 1"};
    write([](db::Transaction& tx) {
        for (const auto& text : texts) store::put_fact(tx, text, "");
    });
    auto sorted = texts;
    std::ranges::sort(sorted);
    const auto names = [](db::Rows rows) {
        std::vector<std::string> result;
        while (rows.next()) result.push_back(rows.text(0));
        return result;
    };
    read([&](db::Transaction& tx) {
        EXPECT_THAT(names(tx.query(all)), ElementsAreArray(sorted));
        EXPECT_THAT(names(tx.query(backward)), ElementsAreArray(sorted.rbegin(), sorted.rend()));
        std::vector<std::string> paged = {""};
        for (auto next = names(tx.query(behind, {paged.back()})); !next.empty(); next = names(tx.query(behind, {paged.back()}))) paged.push_back(next.front());
        EXPECT_THAT(paged, ElementsAreArray(sorted));
    });
}

TEST_P(Values, ATextWithANulByteOrOutsideOfUnicodeIsRefused) {
    for (const auto& text : {"a\0b"s, "\0"s, "\xC3"s, "\xED\xA0\x80"s, "\xFF"s, "\xC0\x80"s}) {
        EXPECT_EQ(trouble_of([&](db::Transaction& tx) { store::put_fact(tx, "text", text); }), db::Trouble::programming);
        EXPECT_THROW(read([&](db::Transaction& tx) { return store::find_fact(tx, text); }), db::Error);
    }
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_fact(tx, "text"); }), std::nullopt);
}

TEST_P(Values, ALongTextComesBackWhole) {
    const std::string text = std::string(1'000'000, 'x') + "\xF0\x9F\x98\x80" + std::string(1'000'000, 'y');
    write([&](db::Transaction& tx) { store::put_fact(tx, "text", text); });
    EXPECT_TRUE(read([](db::Transaction& tx) { return store::find_fact(tx, "text"); }) == text);
}

TEST_P(Values, BytesComeBackAsTheyWent) {
    std::string every;
    for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
    std::string large(1'000'000, '\0');
    for (std::size_t i = 0; i < large.size(); i += 7) large[i] = static_cast<char>(i);
    int n = 0;
    for (const auto& bytes : {every, "\0"s, "\0\0"s, "\\x00"s, "a\0"s, large}) {
        const auto ref = "s-" + std::to_string(++n);
        write([&](db::Transaction& tx) { store::insert_subject(tx, {.account_id = "1", .phone_index = "index" + ref, .subject_ref = ref, .key_sealed = bytes}); });
        const auto found = read([&](db::Transaction& tx) { return store::find_subject_by_ref(tx, "1", ref); });
        ASSERT_TRUE(found);
        EXPECT_TRUE(found->key_sealed == bytes) << n;
    }
}

TEST_P(Values, BytesAreComparedWhole) {
    write([](db::Transaction& tx) {
        for (const auto& index : {"a"s, "a\0"s, "a\0b"s, "A"s, "\0a"s, "\xFF"s}) EXPECT_TRUE(store::count_phone_use(tx, index, 1));
    });
    write([](db::Transaction& tx) {
        EXPECT_FALSE(store::count_phone_use(tx, "a\0"s, 1));
        EXPECT_TRUE(store::count_phone_use(tx, "a\0c"s, 1));
    });
}

TEST_P(Values, NothingIsAnotherThingThanWhatIsEmpty) {
    write([](db::Transaction& tx) {
        store::insert_subject(tx, {.account_id = "1", .phone_index = "one", .subject_ref = "none", .key_sealed = std::nullopt});
        store::insert_subject(tx, {.account_id = "1", .phone_index = "", .subject_ref = "empty", .key_sealed = ""});
        store::insert_subject(tx, {.account_id = "1", .phone_index = "three", .subject_ref = "", .key_sealed = "x"});
    });
    read([](db::Transaction& tx) {
        EXPECT_EQ(store::find_subject_by_ref(tx, "1", "none").value().key_sealed, std::nullopt);
        EXPECT_EQ(store::find_subject_by_ref(tx, "1", "empty").value().key_sealed, "");
        EXPECT_EQ(store::find_subject(tx, "1", "").value().subject_ref, "empty");
        EXPECT_EQ(store::find_subject(tx, "1", "three").value().subject_ref, "");
        static constexpr db::Sql nulls{"SELECT subject_ref FROM subjects WHERE account_id = $1 AND key_sealed IS NULL"};
        auto rows = tx.query(nulls, {"1"});
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(rows.text(0), "none");
        EXPECT_FALSE(rows.null(0));
        EXPECT_FALSE(rows.next());
    });
}

TEST_P(Values, NullsAreToldApartInARow) {
    static constexpr db::Sql sql{"SELECT max(n), min(bucket), count(*) FROM rates"};
    read([](db::Transaction& tx) {
        auto rows = tx.query(sql);
        ASSERT_TRUE(rows.next());
        EXPECT_TRUE(rows.null(0));
        EXPECT_EQ(rows.optional_integer(0), std::nullopt);
        EXPECT_EQ(rows.optional_text(1), std::nullopt);
        EXPECT_EQ(rows.optional_bytes(1), std::nullopt);
        EXPECT_FALSE(rows.null(2));
        EXPECT_EQ(rows.optional_integer(2), 0);
    });
}

TEST_P(Values, NumbersReachTheEdgesOf64Bits) {
    static constexpr db::Sql put{"INSERT INTO rates (bucket, window_ms, n, expires_at_ms) VALUES ('edge', $1, $1, $1)"},
        all{"SELECT n FROM rates WHERE bucket = $1 ORDER BY window_ms"}, between{"SELECT count(*) FROM rates WHERE window_ms > $1 AND window_ms < $2"};
    write([](db::Transaction& tx) {
        for (const std::int64_t n : {std::int64_t{0}, INT64_MAX, std::int64_t{-1}, INT64_MIN, std::int64_t{1} << 32, INT64_MAX - 1, INT64_MIN + 1}) tx.run(put, {n});
    });
    read([](db::Transaction& tx) {
        std::vector<std::int64_t> found;
        for (auto rows = tx.query(all, {"edge"}); rows.next();) found.push_back(rows.integer(0));
        EXPECT_THAT(found, ElementsAre(INT64_MIN, INT64_MIN + 1, -1, 0, std::int64_t{1} << 32, INT64_MAX - 1, INT64_MAX));
        auto rows = tx.query(between, {INT64_MIN, INT64_MAX});
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(rows.integer(0), 5);
    });
}

TEST_P(Values, SumsAndCountsAreNumbersOf64Bits) {
    static constexpr db::Sql put{"INSERT INTO rates (bucket, window_ms, n, expires_at_ms) VALUES ('sum', $1, $2, 0)"},
        sum{"SELECT CAST(sum(n) AS BIGINT), count(*), count(DISTINCT n), CAST(coalesce(sum(window_ms), 0) AS BIGINT), max(n) FROM rates WHERE bucket = $1"};
    write([](db::Transaction& tx) {
        for (const std::int64_t n : {1, 2, 3}) tx.run(put, {n, std::int64_t{1} << 40});
    });
    read([](db::Transaction& tx) {
        auto rows = tx.query(sum, {"sum"});
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(rows.integer(0), std::int64_t{3} << 40);
        EXPECT_EQ(rows.integer(1), 3);
        EXPECT_EQ(rows.integer(2), 1);
        EXPECT_EQ(rows.integer(3), 6);
        EXPECT_EQ(rows.integer(4), std::int64_t{1} << 40);
    });
}

}  // namespace
}  // namespace openrd::tests
