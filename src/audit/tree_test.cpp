#include "audit/tree.hpp"

#include "audit/testing.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace openrd::audit {
namespace {

std::string hex(const Hash& hash) { return base::hex(bytes_of(hash)); }

Hash leaf_of_bytes(std::string_view data) {
    LeafHasher hasher;
    hasher.update(data);
    return hasher.finish();
}

// The inputs and roots by which RFC 6962 implementations are compared (Certificate Transparency's reference tests).
const std::vector<std::string> inputs = {"", std::string(1, '\0'), "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43", "\x50\x51\x52\x53\x54\x55\x56\x57", "`abcdefghijklmno"};
const std::vector<std::string> roots = {
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

TEST(Tree, HasTheRootOfRfc6962WhenItIsEmpty) { EXPECT_EQ(hex(Tree().root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"); }

TEST(Tree, HasTheRootsOfRfc6962) {
    Tree tree;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        tree.add(leaf_of_bytes(inputs[i]));
        EXPECT_EQ(hex(tree.root()), roots[i]) << "of " << i + 1 << " leaves";
    }
    EXPECT_EQ(tree.size(), inputs.size());
}

TEST(Tree, HasTheRootThatTheDefinitionGivesAtEverySize) {
    Tree tree;
    std::vector<Hash> leaves;
    for (int size = 1; size <= 130; ++size) {
        leaves.push_back(leaf_hash(std::to_string(size)));
        tree.add(leaves.back());
        EXPECT_EQ(tree.root(), testing::root_by_definition(leaves)) << size;
    }
}

TEST(Tree, GoesOnFromItsFrontier) {
    Tree whole;
    for (int size = 0; size <= 70; ++size) {
        auto resumed = Tree::from_frontier(whole.size(), whole.frontier());
        ASSERT_TRUE(resumed) << size;
        EXPECT_EQ(resumed->root(), whole.root()) << size;
        whole.add(leaf_hash(std::to_string(size)));
        resumed->add(leaf_hash(std::to_string(size)));
        EXPECT_EQ(resumed->root(), whole.root()) << size;
    }
}

TEST(Tree, TakesNoFrontierOfAnotherSize) {
    const std::string two(2 * hash_bytes, 'x');
    EXPECT_TRUE(Tree::from_frontier(3, two));
    EXPECT_TRUE(Tree::from_frontier(0, ""));
    EXPECT_FALSE(Tree::from_frontier(4, two));
    EXPECT_FALSE(Tree::from_frontier(7, two));
    EXPECT_FALSE(Tree::from_frontier(0, two));
    EXPECT_FALSE(Tree::from_frontier(3, two.substr(1)));
    EXPECT_FALSE(Tree::from_frontier(UINT64_MAX, two));
}

TEST(LeafHash, IsOfTheLineWithItsLineFeed) {
    EXPECT_EQ(leaf_hash("abc"), leaf_of_bytes("abc\n"));
    EXPECT_EQ(leaf_hash("abc"), sha256(std::string("\0abc\n", 5)));
    EXPECT_NE(leaf_hash("abc"), leaf_of_bytes("abc"));
}

TEST(LeafHash, IsTheSameInPieces) {
    LeafHasher hasher;
    for (const std::string_view piece : {"", "a", "b", "", "c\n"}) hasher.update(piece);
    EXPECT_EQ(hasher.finish(), leaf_hash("abc"));
    for (const std::string_view piece : {"abc", "\n"}) hasher.update(piece);
    EXPECT_EQ(hasher.finish(), leaf_hash("abc")) << "the second leaf of one hasher";
    EXPECT_EQ(hasher.finish(), leaf_of_bytes("")) << "a leaf without a piece";
}

TEST(NodeHash, CannotBeTakenForALeaf) {
    const Hash left = leaf_hash("left"), right = leaf_hash("right");
    EXPECT_EQ(node_hash(left, right), sha256("\x01" + std::string(bytes_of(left)) + std::string(bytes_of(right))));
    EXPECT_NE(node_hash(left, right), leaf_of_bytes(std::string(bytes_of(left)) + std::string(bytes_of(right))));
    EXPECT_NE(node_hash(left, right), node_hash(right, left));
}

}  // namespace
}  // namespace openrd::audit
