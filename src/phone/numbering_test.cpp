#include "phone/numbering.hpp"

#include "base/embedded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace openrd::phone {

std::ostream& operator<<(std::ostream& out, Verdict verdict) {
    constexpr const char* names[] = {"mobile", "not mobile", "unknown range", "unknown country"};
    return out << names[static_cast<std::size_t>(verdict)];
}

namespace {

using testing::HasSubstr;

Verdict check(std::string_view text) { return Numbering::built_in().check(MobileNumber::parse(text).value()); }

std::string why_refused(std::string_view json) {
    try {
        (void)Numbering::parse(json);
    } catch (const std::runtime_error& error) { return error.what(); }
    return "(taken)";
}

TEST(Numbering, KnowsTheWorldsMobileNumbers) {
    // The corpus of verification.md 2.1 to 2.3, the numbers of the sandbox's seed, and one of each way a code can be built.
    for (const char* text : {"65-81234567",   "65-81230000",   "65-81239999",   "1-2025550123",   "1-4165550123",   "1-2423570000", "852-51234567",  "86-13900001234",
                             "44-7400123456", "44-7911123456", "44-7624123456", "49-15112345678", "49-15234567890", "33-612345678", "81-9012345678", "55-11961234567",
                             "61-412345678",  "91-8123456789", "52-5512345678", "39-3123456789",  "7-9123456789",   "7-7710009998", "62-812345678",  "234-8021234567",
                             "971-501234567", "852-91234567",  "290-51234",     "225-0123456789", "54-91123456789", "60-123456789", "886-912345678"})
        EXPECT_EQ(check(text), Verdict::mobile) << text;
}

TEST(Numbering, RefusesWhatIsNoMobilePhone) {
    for (const char* text :
         {"65-61234567" /* fixed line */, "65-18001234567" /* toll-free */, "65-19001234567" /* premium */, "65-70001234567" /* everybody's number */, "65-31234567" /* VoIP */,
          "1-8005550199" /* toll-free */, "1-9005550199" /* premium */, "44-2071234567" /* fixed */, "44-8081570000" /* toll-free */, "44-9012345678" /* premium */,
          "44-7012345678" /* personal */, "44-7640123456" /* pager */, "86-1012345678" /* fixed */, "86-8001234567" /* toll-free */, "33-123456789" /* fixed */,
          "81-312345678" /* fixed */, "65-8123456" /* too short */, "65-812345678" /* too long */, "290-8339" /* a region with no mobile network of its own */})
        EXPECT_EQ(check(text), Verdict::not_mobile) << text;
}

TEST(Numbering, TellsARangeThatItDoesNotKnowFromOneThatIsSomethingElse) {
    for (const char* text : {"65-80012345" /* not assigned */, "65-71234567", "1-1234567890" /* no area code */}) EXPECT_EQ(check(text), Verdict::unknown_range) << text;
}

TEST(Numbering, ATableWithoutTheOtherKindsKnowsNoUnknownRanges) {
    const auto numbering = Numbering::parse(R"({"source":"a test","version":"2","released":"2026-01-01","mobile":{"65":["8\\d{7}"]}})");
    EXPECT_EQ(numbering.check(MobileNumber::parse("65-91234567").value()), Verdict::not_mobile);
    const auto newer = Numbering::parse(R"({"source":"a test","version":"2","released":"2026-01-01","mobile":{"65":["8\\d{7}"]},"lengths":{"65":[8]},"other":{"65":["6\\d{7}"]}})");
    EXPECT_EQ(newer.check(MobileNumber::parse("65-91234567").value()), Verdict::unknown_range);
    EXPECT_EQ(newer.check(MobileNumber::parse("65-61234567").value()), Verdict::not_mobile);
    EXPECT_EQ(newer.check(MobileNumber::parse("65-912345678").value()), Verdict::not_mobile);
}

TEST(Numbering, TakesNoTrunkPrefixSoThatANumberHasOneSpelling) {
    for (const char* text : {"44-07400123456", "49-015112345678", "49-015234567890", "52-15512345678", "52-0445512345678", "61-0412345678", "33-0612345678", "86-013900001234",
                             "1-12025550123", "54-0111512345678", "7-89123456789"})
        EXPECT_EQ(check(text), Verdict::not_mobile) << text;
}

TEST(Numbering, TakesNoDigitFromTheCodeIntoTheNumber) {
    for (const char* text : {"6-581234567", "658-1234567", "8-5251234567", "85-251234567", "124-23570000"}) EXPECT_NE(check(text), Verdict::mobile) << text;
}

TEST(Numbering, NeverTakesANumberOfNoCountry) {
    for (const char* code : {"800", "808", "870", "878", "881", "882", "883", "888", "979"})
        for (const char* national : {"12345678", "773123456", "312345678", "612345678", "123456789012"})
            EXPECT_EQ(check(std::string(code) + "-" + national), Verdict::not_mobile) << code << "-" << national;
}

TEST(Numbering, DoesNotKnowCodesThatAreNotAssigned) {
    for (const char* text : {"999-12345678", "210-12345678", "2-12345678", "38-1234567"}) EXPECT_EQ(check(text), Verdict::unknown_country) << text;
    EXPECT_EQ(Numbering::built_in().check(MobileNumber()), Verdict::unknown_country);
}

TEST(Numbering, FindsTheCallingCodeOfAnE164Number) {
    const auto& numbering = Numbering::built_in();
    EXPECT_EQ(numbering.from_e164("+6581234567")->reveal(), "65-81234567");
    EXPECT_EQ(numbering.from_e164("+12025550123")->reveal(), "1-2025550123");
    EXPECT_EQ(numbering.from_e164("+85251234567")->reveal(), "852-51234567");
    EXPECT_EQ(numbering.from_e164("+881612345678")->reveal(), "881-612345678");
    for (const char* text : {"", "+", "+6", "+65", "+65812", "6581234567", "65-81234567", "+65-81234567", "+99912345678", "+06581234567", "+6581234567890123", "++6581234567",
                             "+65 81234567", "+65812345x7", " +6581234567"})
        EXPECT_FALSE(numbering.from_e164(text)) << text;
}

TEST(Numbering, GivesBackEveryNumberThatItTakesByItsE164) {
    for (const char* text : {"65-81234567", "1-2025550123", "7-9123456789", "852-51234567", "290-51234", "44-7400123456"}) {
        const auto number = MobileNumber::parse(text).value();
        const auto again = Numbering::built_in().from_e164(number.reveal_e164());
        ASSERT_TRUE(again) << text;
        EXPECT_EQ(again->reveal(), text);
    }
}

TEST(Numbering, SaysWhatItIsMadeFrom) {
    const auto& numbering = Numbering::built_in();
    EXPECT_THAT(numbering.source(), testing::MatchesRegex("libphonenumber-js [0-9]+\\.[0-9]+\\.[0-9]+"));
    EXPECT_THAT(numbering.released(), testing::MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]"));
    EXPECT_GT(numbering.calling_codes(), 200u);
}

TEST(Numbering, CompilesEveryPatternOfTheBuiltInTable) {
    // check() denies when a pattern does not compile, so such a country would be lost without a word; parse() says it.
    EXPECT_NO_THROW((void)Numbering::parse(embedded::numbering().front().bytes));
}

TEST(Numbering, IsReadFromAFile) {
    const auto numbering = Numbering::parse(R"({"source":"a test","version":"2","released":"2026-01-01","mobile":{"65":["8\\d{7}","9\\d{7}"],"999":[]}})");
    EXPECT_EQ(numbering.source(), "a test 2");
    EXPECT_EQ(numbering.released(), "2026-01-01");
    EXPECT_EQ(numbering.calling_codes(), 2u);
    EXPECT_EQ(numbering.check(MobileNumber::parse("65-81234567").value()), Verdict::mobile);
    EXPECT_EQ(numbering.check(MobileNumber::parse("65-91234567").value()), Verdict::mobile);
    EXPECT_EQ(numbering.check(MobileNumber::parse("65-71234567").value()), Verdict::not_mobile);
    EXPECT_EQ(numbering.check(MobileNumber::parse("65-912345678").value()), Verdict::not_mobile);
    EXPECT_EQ(numbering.check(MobileNumber::parse("999-12345678").value()), Verdict::not_mobile);
    EXPECT_EQ(numbering.check(MobileNumber::parse("1-2025550123").value()), Verdict::unknown_country);
}

TEST(Numbering, RefusesAFileThatIsNoTable) {
    const std::string head = R"({"source":"s","version":"1","released":"2026-01-01",)";
    for (const std::string& text : {std::string(),
                                    std::string("{"),
                                    std::string("[]"),
                                    std::string("null"),
                                    std::string("{}"),
                                    head + R"("mobile":{}})",
                                    head + R"("mobile":[]})",
                                    head + R"("mobile":{"65":"8"}})",
                                    head + R"("mobile":{"65":[""]}})",
                                    head + R"("mobile":{"65":[8]}})",
                                    head + R"("mobile":{"065":["8"]}})",
                                    head + R"("mobile":{"6565":["8"]}})",
                                    head + R"("mobile":{"":["8"]}})",
                                    head + R"("mobile":{"x":["8"]}})",
                                    head + R"("mobile":{"65":["8"]}} x)",
                                    head + R"("mobile":{"65":["8"]},"other":[]})",
                                    head + R"("mobile":{"65":["8"]},"other":{"65":[1]}})",
                                    head + R"("mobile":{"65":["8"]},"lengths":{"65":[99]}})",
                                    head + R"("mobile":{"65":["8"]},"lengths":{"65":"8"}})",
                                    std::string(R"({"source":"s","version":"1","mobile":{"65":["8"]}})"),
                                    std::string(R"({"source":1,"version":"1","released":"d","mobile":{"65":["8"]}})")})
        EXPECT_THAT(why_refused(text), HasSubstr("not a numbering table")) << text;
    EXPECT_THAT(why_refused(head + R"("mobile":{"65":["8("]}})"), HasSubstr("a pattern of 65 cannot be used"));
    EXPECT_THAT(why_refused(head + R"("mobile":{"65":["(?=8)8"]}})"), HasSubstr("a pattern of 65 cannot be used"));
}

TEST(Numbering, TakesANewerTableWhileOthersRead) {
    Numbering numbering = Numbering::built_in();
    const auto newer = Numbering::parse(R"({"source":"a test","version":"3","released":"2027-01-01","mobile":{"65":["8\\d{7}","7\\d{7}"]}})");
    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    readers.reserve(4);
    for (int t = 0; t < 4; ++t)
        readers.emplace_back([&] {
            while (!stop)
                if (numbering.check(MobileNumber::parse("65-81234567").value()) != Verdict::mobile || numbering.source().empty()) ++wrong;
        });
    EXPECT_NE(numbering.check(MobileNumber::parse("65-71234567").value()), Verdict::mobile);
    for (int i = 0; i < 20; ++i) numbering.take(i % 2 == 0 ? newer : Numbering::built_in());
    numbering.take(newer);
    EXPECT_EQ(numbering.check(MobileNumber::parse("65-71234567").value()), Verdict::mobile);
    EXPECT_EQ(numbering.released(), "2027-01-01");
    EXPECT_NE(Numbering::built_in().released(), "2027-01-01") << "a copy is a table of its own";
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(wrong, 0);
}

TEST(Numbering, AnswersManyThreadsAlike) {
    const auto numbering = Numbering::parse(embedded::numbering().front().bytes);
    std::vector<std::thread> threads;
    threads.reserve(8);
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                if (numbering.check(MobileNumber::parse("65-81234567").value()) != Verdict::mobile) ++wrong;
                if (numbering.check(MobileNumber::parse("44-2071234567").value()) != Verdict::not_mobile) ++wrong;
                if (Numbering::built_in().check(MobileNumber::parse("49-15112345678").value()) != Verdict::mobile) ++wrong;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace openrd::phone
