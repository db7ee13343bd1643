namespace Fairseq2Llama;

/// <summary>How a tensor of one checkpoint compares with the same one of another.</summary>
public enum ComparisonResult
{
    /// <summary>All elements are the same: bit for bit, or within the tolerance where one was given.</summary>
    Equal,

    /// <summary>Elements differ: in any bit, or by more than the tolerance where one was given.</summary>
    Different,

    /// <summary>Only the reference has it.</summary>
    OnlyInReference,

    /// <summary>Only the difference has it.</summary>
    OnlyInDifference,

    /// <summary>Their shapes differ, so no elements were compared.</summary>
    ShapeDiffers,

    /// <summary>Their element types differ, so no bits were compared. With a tolerance the numbers are, unless only one is complex.</summary>
    DTypeDiffers,
}
