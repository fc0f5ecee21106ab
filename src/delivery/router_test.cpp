#include "delivery/router.hpp"

#include "delivery/testing.hpp"

namespace openrd::delivery::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

phone::MobileNumber number(std::string_view text) { return *phone::MobileNumber::parse(text); }

class RouterTest : public ::testing::Test {
  protected:
    ScriptedChannel everywhere_{"everywhere"}, singapore_{"singapore", "65"}, china_{"china", "86"};
    Router in_order_{&singapore_, &china_, &everywhere_};
};
using Routing = RouterTest;

TEST_F(Routing, WithoutRoutesIsTheOrderOfTheChannelsThatReachTheNumber) {
    EXPECT_THAT(in_order_.channels_for(number("65-81234567")), ElementsAre(&singapore_, &everywhere_));
    EXPECT_THAT(in_order_.channels_for(number("44-7400123456")), ElementsAre(&everywhere_));
    EXPECT_THAT(Router({&china_}).channels_for(number("65-81234567")), IsEmpty());
}

TEST_F(Routing, ARouteSaysTheOrderForItsCallingCodesAndLeavesOutTheOthers) {
    const Router router({&everywhere_, &singapore_, &china_},
                        {{.calling_codes = {"65"}, .channels = {"singapore", "everywhere"}}, {.calling_codes = {"86"}, .channels = {"china"}}});
    EXPECT_THAT(router.channels_for(number("65-81234567")), ElementsAre(&singapore_, &everywhere_));
    EXPECT_THAT(router.channels_for(number("86-13900001234")), ElementsAre(&china_));
    EXPECT_THAT(router.channels_for(number("44-7400123456")), ElementsAre(&everywhere_));
}

TEST_F(Routing, WhatCannotBeMeantIsRefusedAtOnce) {
    using Routes = std::vector<Router::Route>;
    const std::vector<Channel*> channels{&singapore_, &china_};
    const Routes wrong[] = {{{.calling_codes = {"65"}, .channels = {"elsewhere"}}},
                            {{.calling_codes = {"65"}, .channels = {"china"}}},
                            {{.calling_codes = {"65"}, .channels = {}}},
                            {{.calling_codes = {}, .channels = {"china"}}},
                            {{.calling_codes = {"+65"}, .channels = {"singapore"}}},
                            {{.calling_codes = {"65"}, .channels = {"singapore"}}, {.calling_codes = {"65"}, .channels = {"singapore"}}}};
    for (const auto& routes : wrong) EXPECT_THROW(Router(channels, routes), std::invalid_argument);
    ScriptedChannel twin{"china"};
    EXPECT_THROW(Router({&china_, &twin}), std::invalid_argument);
}

TEST_F(Routing, AChannelIsFoundByItsName) {
    EXPECT_EQ(in_order_.find("china"), &china_);
    EXPECT_EQ(in_order_.find("chin"), nullptr);
}

TEST_F(Routing, NoNumberIsReachedByNoPhoneChannel) {
    EXPECT_THAT(in_order_.channels_for({}), IsEmpty());
    EXPECT_THAT(in_order_.channels_for_email(), IsEmpty());
}

}  // namespace
}  // namespace openrd::delivery::testing
