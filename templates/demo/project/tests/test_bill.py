import unittest

from shop.bill import split, total


class BillTest(unittest.TestCase):
    def test_the_total_is_the_sum(self) -> None:
        self.assertEqual(total([250, 180]), 430)

    def test_an_even_bill_is_shared_evenly(self) -> None:
        self.assertEqual(split(400, 4), [100, 100, 100, 100])

    def test_no_cent_is_lost(self) -> None:
        self.assertEqual(sum(split(200, 3)), 200)

    def test_shares_differ_by_one_cent_at_most(self) -> None:
        shares = split(200, 3)
        self.assertLessEqual(max(shares) - min(shares), 1, shares)
