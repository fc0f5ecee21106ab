// Any size, any damage: found, and named where the leaf hashes prove it.
#include "audit/testing.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;
using testing::Exported;
using Lines = std::vector<std::string>;

class Chance {
  public:
    explicit Chance(std::uint32_t seed) : random_(seed) {}
    std::size_t below(std::size_t bound) { return random_() % bound; }

  private:
    std::mt19937 random_;
};

struct Damage {
    std::string what;
    std::size_t first = 0;  // entry, counted from 0
};

Damage damage_a_line(Lines& lines, Chance& chance) {
    const auto at = chance.below(lines.size());
    switch (lines.size() > 1 ? chance.below(6) : chance.below(4)) {
        case 0: {
            auto& letter = lines[at][chance.below(lines[at].size())];
            letter = letter == 'x' ? 'y' : 'x';
            return {"a letter changed", at};
        }
        case 1:
            lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), "an entry that was put in");
            return {"an entry put in", at};
        case 2:
            lines.resize(at);
            return {"the end cut off", at};
        case 3:
            lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at));
            return {"an entry removed", at};
        case 4: {
            auto other = chance.below(lines.size() - 1);
            if (other >= at) ++other;
            std::swap(lines[at], lines[other]);
            return {"two entries exchanged", std::min(at, other)};
        }
        default: {
            const auto from = std::min(at, lines.size() - 2);
            std::rotate(lines.begin() + static_cast<std::ptrdiff_t>(from), lines.begin() + static_cast<std::ptrdiff_t>(from) + 1, lines.end());
            return {"an entry moved to the end", from};
        }
    }
}

// An export of up to 60 entries with checkpoints at random sizes, in files of random length.
struct Case {
    explicit Case(Chance& chance) {
        const auto end = 1 + chance.below(60);
        while (size < end) {
            size = std::min(end, size + 1 + chance.below(20));
            sealed_at.push_back(size);
        }
        per_file = 1 + chance.below(25);
        exported = std::make_unique<Exported>(sealed_at, per_file);
    }
    Lines read(const char* folder, const char* suffix) const {
        Lines lines;
        for (std::size_t i = 0; i * per_file < size; ++i)
            for (auto& line : testing::lines_of(exported->out / folder / fmt::format("{:06}{}", i, suffix))) lines.push_back(std::move(line));
        return lines;
    }
    void write(const char* folder, const char* suffix, const Lines& lines) const { testing::write_numbered(exported->out / folder, suffix, lines, per_file); }
    // Of the checkpoints around entry `at`: the range that is left when nothing proves more.
    std::pair<std::uint64_t, std::uint64_t> range_around(std::size_t at) const {
        std::uint64_t before = 0;
        for (const auto sealed : sealed_at) {
            if (sealed > at) return {before + 1, sealed};
            before = sealed;
        }
        return {before + 1, before};
    }

    std::size_t size = 0, per_file = 1;
    std::vector<std::size_t> sealed_at;
    std::unique_ptr<Exported> exported;
};

TEST(Tampering, WithTheLogIsFoundAndTheFirstEntryNamed) {
    Chance chance(7);
    for (int round = 0; round < 80; ++round) {
        const Case c(chance);
        ASSERT_TRUE(c.exported->verify().ok()) << c.exported->verify().text();
        auto lines = c.read("log", ".ndjson");
        ASSERT_EQ(lines.size(), c.size);
        const auto damage = damage_a_line(lines, chance);
        c.write("log", ".ndjson", lines);
        const auto report = c.exported->verify();
        EXPECT_FALSE(report.ok()) << damage.what;
        EXPECT_EQ(report.first_damaged, damage.first + 1) << damage.what << " in round " << round << "\n" << report.text();
    }
}

TEST(Tampering, WithTheLogAndItsHashesIsNarrowedDownToTwoCheckpoints) {
    Chance chance(8);
    for (int round = 0; round < 80; ++round) {
        const Case c(chance);
        auto lines = c.read("log", ".ndjson");
        const auto damage = damage_a_line(lines, chance);
        Lines leaves;
        for (const auto& line : lines) leaves.push_back(base::hex(bytes_of(leaf_hash(line))));
        c.write("log", ".ndjson", lines);
        c.write("leaves", ".sha256", leaves);
        const auto report = c.exported->verify();
        ASSERT_FALSE(report.ok()) << damage.what;
        if (report.first_damaged) {
            EXPECT_EQ(*report.first_damaged, damage.first + 1) << damage.what << "\n" << report.text();
        } else {
            ASSERT_TRUE(report.damaged_range) << damage.what << "\n" << report.text();
            // A cut reaches to the end; else it is the two checkpoints around.
            EXPECT_EQ(report.damaged_range->first, c.range_around(damage.first).first) << damage.what << "\n" << report.text();
            if (lines.size() < c.range_around(damage.first).second) continue;
            EXPECT_EQ(report.damaged_range->second, c.range_around(damage.first).second) << damage.what << "\n" << report.text();
        }
    }
}

TEST(Tampering, WithTheHashesAloneIsFoundAndDoesNotAccuseTheLog) {
    Chance chance(9);
    for (int round = 0; round < 80; ++round) {
        const Case c(chance);
        auto leaves = c.read("leaves", ".sha256");
        const auto damage = damage_a_line(leaves, chance);
        c.write("leaves", ".sha256", leaves);
        const auto report = c.exported->verify();
        EXPECT_FALSE(report.ok()) << damage.what;
        EXPECT_FALSE(report.first_damaged) << damage.what << "\n" << report.text();
        EXPECT_FALSE(report.damaged_range) << damage.what << "\n" << report.text();
    }
}

TEST(Tampering, WithAnyByteOfAnExportIsFound) {
    Chance chance(10);
    const Case c(chance);
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(c.exported->out))
        if (entry.is_regular_file()) files.push_back(entry.path());
    for (int round = 0; round < 300; ++round) {
        const auto& file = files[chance.below(files.size())];
        const auto whole = testing::read_file(file);
        auto changed = whole;
        const auto at = chance.below(whole.size());
        changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + chance.below(255)));
        // A capital letter in a hash is the same hash; white space around the key is the same key.
        const bool same =
            (file.parent_path().filename() == "leaves" && (changed[at] ^ whole[at]) == 0x20 && whole[at] >= 'a') || (file.filename() == "audit.pub" && at + 1 == whole.size());
        if (same) continue;
        testing::write_file(file, changed);
        EXPECT_FALSE(c.exported->verify().ok()) << file << " byte " << at;
        testing::write_file(file, whole);
    }
    EXPECT_TRUE(c.exported->verify().ok());
}

}  // namespace
}  // namespace openrd::audit
