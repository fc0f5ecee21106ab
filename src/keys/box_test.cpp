#include "keys/box.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace openrd::keys {
namespace {

const std::string key(key_bytes, 'k');
const std::string other_key(key_bytes, 'K');

TEST(Hkdf, IsThatOfRfc5869) {
    // Test case 3: no salt, no info. The first 32 of its 42 bytes.
    unsigned char pseudorandom[key_bytes], out[key_bytes];
    hkdf_extract(std::string(22, '\x0b'), pseudorandom);
    EXPECT_EQ(base::hex({reinterpret_cast<char*>(pseudorandom), key_bytes}), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    hkdf_expand(pseudorandom, "", out);
    EXPECT_EQ(base::hex({reinterpret_cast<char*>(out), key_bytes}), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(Box, GivesBackWhatWasPutIn) {
    for (const std::string& text : {std::string(), std::string("+6581234567"), std::string(5000, '\0')}) {
        const auto sealed = seal_with(key, text, "row 1");
        EXPECT_EQ(sealed.size(), text.size() + box_overhead_bytes);
        EXPECT_EQ(open_with(key, sealed, "row 1")->reveal(), text);
    }
}

TEST(Box, ShowsNothingOfItsContent) {
    const std::string text = "+6581234567";
    EXPECT_EQ(seal_with(key, text, "").find(text), std::string::npos);
    EXPECT_NE(seal_with(key, text, ""), seal_with(key, text, "")) << "the same content sealed twice looks different";
}

TEST(Box, OpensWithItsOwnKeyInItsOwnPlaceOnly) {
    const auto sealed = seal_with(key, "text", "row 1");
    EXPECT_FALSE(open_with(other_key, sealed, "row 1"));
    EXPECT_FALSE(open_with(key, sealed, "row 2"));
    EXPECT_FALSE(open_with(key, sealed, ""));
}

TEST(Box, ThatWasChangedStaysShut) {
    const auto sealed = seal_with(key, "text", "row 1");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(open_with(key, changed, "row 1")) << i;
        EXPECT_FALSE(open_with(key, sealed.substr(0, i), "row 1")) << i;
    }
    EXPECT_FALSE(open_with(key, sealed + "x", "row 1"));
}

TEST(Box, WantsAWholeKey) {
    EXPECT_THROW((void)seal_with("short", "text", ""), std::invalid_argument);
    EXPECT_THROW((void)open_with("short", std::string(100, 'x'), ""), std::invalid_argument);
}

TEST(RandomKey, IsWholeAndNeverTheSame) {
    EXPECT_EQ(random_key().reveal().size(), key_bytes);
    EXPECT_FALSE(random_key().same_as(random_key().reveal()));
}

}  // namespace
}  // namespace openrd::keys
