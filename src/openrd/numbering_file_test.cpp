#include "openrd/numbering_file.hpp"

#include "base/clock.hpp"
#include "base/time_text.hpp"
#include "openrd/failure.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace openrd {
namespace {

class NumberingFile : public ::testing::Test {
  protected:
    NumberingFile() { options_.data_directory = directory_; }
    ~NumberingFile() override { std::filesystem::remove_all(directory_); }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "numbering_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    static std::string table(const std::string& released) { return R"({"source":"a test","version":"1","released":")" + released + R"(","mobile":{"65":["8\\d{7}","7\\d{7}"]}})"; }
    void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
    std::string given(const std::string& text) {
        options_.file = directory_ + "/given.json";
        write(options_.file, text);
        return options_.file;
    }
    int update() {
        ::testing::internal::CaptureStdout();
        int status = 0;
        try {
            status = numbering_update(options_);
        } catch (const Failure& failure) { status = failure.status(); }
        printed_ = ::testing::internal::GetCapturedStdout();
        return status;
    }
    std::string installed() const { return directory_ + "/numbering.json"; }
    static bool seven(const phone::Numbering& numbering) {
        const auto number = phone::MobileNumber::parse("65-71234567");
        return numbering.check(*number) == phone::Verdict::mobile;
    }

    std::string directory_ = make_directory();
    NumberingOptions options_;
    std::string printed_;
};

TEST_F(NumberingFile, IsInstalledWhereAServerReadsIt) {
    given(table("2099-01-01"));
    EXPECT_EQ(update(), 0);
    EXPECT_NE(printed_.find("2099-01-01"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(installed() + ".new"));
    const NumberingInUse in_use(numbering_path("", directory_), false);
    EXPECT_TRUE(seven(in_use.table()));
}

TEST_F(NumberingFile, ThatIsNoTableLeavesTheOldOne) {
    given(table("2099-01-01"));
    ASSERT_EQ(update(), 0);
    for (const auto* bad : {"", "{", "[]", R"({"source":"s","version":"1","released":"2099-02-01","mobile":{"65":["8("]}})",
                            R"({"source":"s","version":"1","released":"soon","mobile":{"65":["8"]}})"}) {
        given(bad);
        EXPECT_EQ(update(), unusable_status) << bad;
    }
    EXPECT_EQ(read_numbering_file(installed())->released(), "2099-01-01");
}

TEST_F(NumberingFile, ThatIsOlderLeavesTheNewerOne) {
    given(table("2099-01-01"));
    ASSERT_EQ(update(), 0);
    given(table("2098-01-01"));
    EXPECT_EQ(update(), refused_status);
    EXPECT_EQ(read_numbering_file(installed())->released(), "2099-01-01");
}

TEST_F(NumberingFile, IsReadAnewAndABadOneIsNotUsed) {
    NumberingInUse in_use(installed(), false);
    EXPECT_FALSE(seven(in_use.table())) << "the built-in one";
    write(installed(), table("2099-01-01"));
    in_use.reload();
    EXPECT_TRUE(seven(in_use.table()));
    write(installed(), "{");
    in_use.reload();
    EXPECT_TRUE(seven(in_use.table()));
    write(installed(), table("2001-01-01"));
    in_use.reload();
    EXPECT_EQ(in_use.table().released(), "2099-01-01");
    std::filesystem::remove(installed());
    in_use.reload();
    EXPECT_EQ(in_use.table().released(), "2099-01-01");
}

TEST_F(NumberingFile, OfTheSettingsHasToBeThereAndToBeATable) {
    EXPECT_THROW(NumberingInUse(directory_ + "/nowhere.json", true), Failure);
    EXPECT_NO_THROW(NumberingInUse(directory_ + "/nowhere.json", false));
    write(installed(), "no table");
    EXPECT_THROW(NumberingInUse(installed(), false), Failure);
}

TEST_F(NumberingFile, IsOldAfterHalfAYear) {
    write(installed(), table("2099-01-01"));
    const NumberingInUse in_use(installed(), true);
    const auto released = base::parse_utc("2099-01-01T00:00:00Z").value();
    EXPECT_EQ(in_use.warning(released + 183 * base::day_ms), "");
    EXPECT_NE(in_use.warning(released + 184 * base::day_ms).find("2099-01-01"), std::string::npos);
    EXPECT_EQ(numbering_age_days("2026-11-10", base::parse_utc("2026-11-24T12:00:00Z").value()), 14);
    EXPECT_FALSE(numbering_age_days("never", 0));
}

}  // namespace
}  // namespace openrd
