#include "delivery/receipts.hpp"

#include <gtest/gtest.h>

namespace openrd::delivery {
namespace {

const keys::Ring& ring() {
    static const keys::Ring r{base::Secret(std::string(32, 'k'))};
    return r;
}

TEST(Receipts, AnAddressIsForOneMessageOfOneChannel) {
    const auto path = receipt_path(ring(), "kannel", "7F75E7B4-4636");
    EXPECT_TRUE(path.starts_with("/internal/dlr/kannel/7F75E7B4-4636/"));
    EXPECT_EQ(message_of_receipt(ring(), "kannel", path), "7F75E7B4-4636");
    EXPECT_EQ(message_of_receipt(ring(), "kannel", path + "?d=1"), "7F75E7B4-4636");
    EXPECT_FALSE(message_of_receipt(ring(), "twilio", path));
    EXPECT_FALSE(message_of_receipt(ring(), "kann", path)) << "the name is the whole name";
}

TEST(Receipts, AnAddressThatIsNotOursIsNone) {
    const auto path = receipt_path(ring(), "kannel", "m-1");
    const keys::Ring other{base::Secret(std::string(32, 'o'))};
    EXPECT_FALSE(message_of_receipt(other, "kannel", path));
    for (const std::string& wrong :
         {path + "0", path.substr(0, path.size() - 1), std::string("/internal/dlr/kannel/m-1/"), std::string("/internal/dlr/kannel/m-1"), std::string("/internal/dlr/kannel/"),
          std::string("/internal/dlr/"), std::string("/"), std::string(), "/x" + path, std::string("/internal/dlr/kannel/m-2/") + path.substr(path.size() - 32)})
        EXPECT_FALSE(message_of_receipt(ring(), "kannel", wrong)) << wrong;
}

TEST(Receipts, ReadsTheFieldsOfAQueryAndOfAForm) {
    EXPECT_EQ(query_value("/a?d=8&x=a%20b+c", "d"), "8");
    EXPECT_EQ(query_value("/a?d=8&x=a%20b+c", "x"), "a b c");
    EXPECT_EQ(query_value("/a?d=8", "y"), "");
    EXPECT_EQ(query_value("/a", "d"), "");
    EXPECT_EQ(form_value("d=1&d=2&=&e", "d"), "2") << "the last one";
    EXPECT_EQ(form_value("d=1&e", "e"), "");
}

}  // namespace
}  // namespace openrd::delivery
