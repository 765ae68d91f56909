using RegistryTools.Inspection;
using Xunit;

namespace RegistryTools.Tests.Inspection;

public sealed class TagOrderTests
{
    [Theory]
    [InlineData("T2 T10 T1", "T1 T2 T10")]
    [InlineData("a10b2 a10b10 a2b1", "a2b1 a10b2 a10b10")]
    [InlineData("1 01 001 0", "0 001 01 1")]
    [InlineData("b A a B", "A a B b")]
    [InlineData("20240102 20231231 99999999999999999999999 100000000000000000000000", "20231231 20240102 99999999999999999999999 100000000000000000000000")]
    [InlineData("v1 v v10 v1-a", "v v1 v1-a v10")]
    public void Natural(string given, string expected) => Assert.Equal(expected, Sorted(given, TagOrder.Natural));

    [Theory]
    [InlineData("1.10 1.9 1.2", "1.2 1.9 1.10")]
    [InlineData("2.0.0 2.0.0-rc.2 2.0.0-rc.10 2.0.0-alpha", "2.0.0-alpha 2.0.0-rc.2 2.0.0-rc.10 2.0.0")]
    [InlineData("latest v1.0 1.0.0 edge 0.9", "0.9 1.0.0 v1.0 edge latest")]
    [InlineData("3 3.1 3.0.1 v", "3 3.0.1 3.1 v")]
    public void Semantic(string given, string expected) => Assert.Equal(expected, Sorted(given, TagOrder.Semantic));

    [Fact]
    public void Every_order_is_total()
    {
        var random = new Random(2718);
        var tags = Enumerable.Range(0, 120).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => "01v.-aA2"[random.Next(8)]))).Distinct().ToArray();
        foreach (var order in new[] { TagOrder.Name, TagOrder.Natural, TagOrder.Semantic })
        {
            foreach (var x in tags)
            {
                Assert.Equal(0, order.Compare(x, x));
                foreach (var y in tags)
                {
                    Assert.Equal(Math.Sign(order.Compare(x, y)), -Math.Sign(order.Compare(y, x)));
                    if (x != y) Assert.NotEqual(0, order.Compare(x, y));
                }
            }

            var sorted = (string[])tags.Clone();
            Array.Sort(sorted, order);
            for (var i = 0; i < sorted.Length; i++)
            {
                for (var j = i + 1; j < sorted.Length; j++) Assert.True(order.Compare(sorted[i], sorted[j]) < 0, $"{sorted[i]} and {sorted[j]}");
            }
        }
    }

    private static string Sorted(string tags, IComparer<string> order) => string.Join(" ", tags.Split(' ').Order(order));
}
