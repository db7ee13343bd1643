<?xml version="1.0" encoding="utf-8"?>
<!--
  The help of the commands, with links to the online version where the address of the repository is known. Get-Help promises one as soon as a command has
  any related link, so without an address the links become the last paragraph of the description.
-->
<xsl:stylesheet version="1.0"
  xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:maml="http://schemas.microsoft.com/maml/2004/10"
  xmlns:command="http://schemas.microsoft.com/maml/dev/command/2004/10">

  <xsl:param name="projectUri" />

  <xsl:template match="@*|node()">
    <xsl:copy><xsl:apply-templates select="@*|node()" /></xsl:copy>
  </xsl:template>

  <xsl:template match="command:command/maml:description">
    <xsl:copy>
      <xsl:apply-templates select="@*|node()" />
      <xsl:if test="not($projectUri)">
        <maml:para>
          <xsl:text>See also: </xsl:text>
          <xsl:for-each select="../command:relatedLinks/maml:navigationLink">
            <xsl:if test="position() > 1">, </xsl:if>
            <xsl:value-of select="maml:linkText" />
          </xsl:for-each>
          <xsl:text>.</xsl:text>
        </maml:para>
      </xsl:if>
    </xsl:copy>
  </xsl:template>

  <xsl:template match="command:relatedLinks">
    <xsl:if test="$projectUri">
      <xsl:copy>
        <maml:navigationLink>
          <maml:linkText>Online version:</maml:linkText>
          <maml:uri><xsl:value-of select="concat($projectUri, '/blob/main/docs/commands/', ../command:details/command:name, '.md')" /></maml:uri>
        </maml:navigationLink>
        <xsl:apply-templates select="node()" />
      </xsl:copy>
    </xsl:if>
  </xsl:template>

</xsl:stylesheet>
